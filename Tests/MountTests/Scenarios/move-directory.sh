# mv of a directory takes all below it along, also into another directory.
given() {
    mkdir -p "$SERVER/old/deep/er" "$SERVER/into"
    echo below >"$SERVER/old/deep/er/file"
}

scenario() {
    cat "$MOUNT/old/deep/er/file" >/dev/null
    mv "$MOUNT/old" "$MOUNT/new"
    holds "$MOUNT/new/deep/er/file" $'below\n'
    absent "$MOUNT/old"
    mv "$MOUNT/new" "$MOUNT/into"
    holds "$MOUNT/into/new/deep/er/file" $'below\n'
    holds "$SERVER/into/new/deep/er/file" $'below\n'
    echo more >>"$MOUNT/into/new/deep/er/file"
    holds "$SERVER/into/new/deep/er/file" $'below\nmore\n'
}
