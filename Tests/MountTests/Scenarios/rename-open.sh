# What is written to an open file goes to it, whatever it is called by then.
given() { mkdir "$SERVER/directory"; }

scenario() {
    exec 3>>"$MOUNT/file"
    echo one >&3
    mv "$MOUNT/file" "$MOUNT/renamed"
    echo two >&3
    mv "$MOUNT/renamed" "$MOUNT/directory/moved"
    mv "$MOUNT/directory" "$MOUNT/elsewhere"
    echo three >&3
    exec 3>&-
    holds "$SERVER/elsewhere/moved" $'one\ntwo\nthree\n'
    is "$(names "$SERVER")" elsewhere
}
