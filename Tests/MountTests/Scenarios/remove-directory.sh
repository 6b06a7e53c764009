# rmdir removes an empty directory and no other.
given() {
    mkdir "$SERVER/empty" "$SERVER/full"
    echo x >"$SERVER/full/file"
}

scenario() {
    rmdir "$MOUNT/empty"
    absent "$SERVER/empty"
    is "$(LC_ALL=C rmdir "$MOUNT/full" 2>&1 || true)" "rmdir: failed to remove '$MOUNT/full': Directory not empty"
    holds "$SERVER/full/file" $'x\n'
}
