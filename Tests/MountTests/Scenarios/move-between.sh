# mv takes a file from one directory to another.
given() {
    mkdir "$SERVER/from" "$SERVER/to"
    echo moved >"$SERVER/from/file"
}

scenario() {
    ls "$MOUNT/from" "$MOUNT/to" >/dev/null
    mv "$MOUNT/from/file" "$MOUNT/to/renamed"
    holds "$SERVER/to/renamed" $'moved\n'
    is "$(names "$MOUNT/from")" ''
    is "$(names "$MOUNT/to")" renamed
}
