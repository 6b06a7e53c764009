# cat shows what is on the server, of small and large files.
given() {
    echo 'small' >"$SERVER/small"
    noise "$SERVER/large" 3000001
}

scenario() {
    cat "$MOUNT/small" | same - "$SERVER/small"
    cat "$MOUNT/large" | same - "$SERVER/large"
    cat "$MOUNT/small" "$MOUNT/large" | same - <(cat "$SERVER/small" "$SERVER/large")
}
