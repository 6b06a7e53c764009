# Several programs write and read at the same time.
scenario() {
    local number pids=()
    for number in 1 2 3 4 5 6; do noise "source$number" $((number * 200000 + 7)); done
    for number in 1 2 3 4 5 6; do
        { cp "source$number" "$MOUNT/copy$number" && cmp "source$number" "$MOUNT/copy$number" && ls -l "$MOUNT" >/dev/null; } &
        pids+=($!)
    done
    for number in "${pids[@]}"; do wait "$number"; done
    for number in 1 2 3 4 5 6; do same "source$number" "$SERVER/copy$number"; done
}
