# O_EXCL makes a file once.
given() { echo theirs >"$SERVER/taken"; }

scenario() {
    set -o noclobber
    refused bash -o noclobber -c 'echo mine >"$1"' bash "$MOUNT/taken"
    holds "$SERVER/taken" $'theirs\n'
    echo mine >"$MOUNT/free"
    holds "$SERVER/free" $'mine\n'
    local won=0 number pids=()
    for number in 1 2 3 4 5; do
        bash -o noclobber -c 'echo "$2" >"$1"' bash "$MOUNT/raced" "$number" 2>/dev/null &
        pids+=($!)
    done
    for number in "${pids[@]}"; do if wait "$number"; then won=$((won + 1)); fi; done
    is "$won" 1
}
