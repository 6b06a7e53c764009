# A file that is removed while being written stays removed, and can be read back until it is closed.
scenario() {
    exec 3<>"$MOUNT/file"
    echo one >&3
    rm "$MOUNT/file"
    echo two >&3
    is "$(cat /proc/self/fd/3)" $'one\ntwo'
    exec 3>&-
    absent "$MOUNT/file"
    nothing_left() { [[ -z "$(names "$SERVER")" ]]; }
    eventually nothing_left
}
