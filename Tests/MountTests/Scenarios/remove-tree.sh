# rm -r removes everything below.
given() {
    mkdir -p "$SERVER/tree/a/b/c" "$SERVER/tree/.hidden"
    for number in $(seq 20); do echo "$number" >"$SERVER/tree/a/b/file $number"; done
    echo x >"$SERVER/tree/.hidden/.file"
    echo kept >"$SERVER/kept"
}

scenario() {
    rm -r "$MOUNT/tree"
    is "$(names "$SERVER")" kept
    is "$(names "$MOUNT")" kept
}
