# Several programs read one file and others at the same time.
given() {
    noise "$SERVER/shared" 4000000
    noise "$SERVER/other" 1000000
}

scenario() {
    local number pids=()
    for number in 1 2 3; do
        cmp "$MOUNT/shared" "$SERVER/shared" &
        pids+=($!)
        cmp "$MOUNT/other" "$SERVER/other" &
        pids+=($!)
    done
    tail -c 100 "$MOUNT/shared" | same - <(tail -c 100 "$SERVER/shared")
    for number in "${pids[@]}"; do wait "$number"; done
}
