# cp fetches files from the server.
given() {
    noise "$SERVER/small" 100
    noise "$SERVER/large" 5000003
}

scenario() {
    cp "$MOUNT/small" "$MOUNT/large" .
    same small "$SERVER/small"
    same large "$SERVER/large"
}
