# Programs that append to one file in turn or at once lose no line.
scenario() {
    local number pids=()
    : >"$MOUNT/log"
    for number in 1 2 3 4; do
        { for line in 1 2 3 4 5; do echo "writer $number line $line" >>"$MOUNT/log"; done; } &
        pids+=($!)
    done
    for number in "${pids[@]}"; do wait "$number"; done
    is "$(sort "$SERVER/log" | uniq | wc -l)" 20
    is "$(wc -l <"$SERVER/log")" 20
}
