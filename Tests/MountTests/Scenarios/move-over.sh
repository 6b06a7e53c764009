# mv over an existing file replaces it.
given() {
    echo new >"$SERVER/new"
    echo old >"$SERVER/old"
}

scenario() {
    mv "$MOUNT/new" "$MOUNT/old"
    holds "$SERVER/old" $'new\n'
    absent "$SERVER/new"
    absent "$MOUNT/new"
    holds "$MOUNT/old" $'new\n'
}
