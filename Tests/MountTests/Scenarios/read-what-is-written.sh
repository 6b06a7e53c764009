# What one program has written, another reads before the file is closed.
scenario() {
    exec 3>"$MOUNT/file"
    echo one >&3
    holds "$MOUNT/file" $'one\n'
    is "$(stat -c %s "$MOUNT/file")" 4
    echo two >&3
    holds "$MOUNT/file" $'one\ntwo\n'
    exec 3>&-
    holds "$SERVER/file" $'one\ntwo\n'
}
