# A directory does not replace one that holds something, nor go into itself.
given() {
    mkdir -p "$SERVER/one/inside" "$SERVER/two/inside"
}

scenario() {
    refused mv -T "$MOUNT/one" "$MOUNT/two"
    refused mv "$MOUNT/one" "$MOUNT/one/inside"
    is "$(names "$SERVER")" $'one\ntwo'
}
