# Copying over a file replaces all of it, also by less.
given() { noise "$SERVER/file" 200000; }

scenario() {
    echo short >short
    cp short "$MOUNT/file"
    same short "$SERVER/file"
    noise longer 300000
    cp longer "$MOUNT/file"
    same longer "$SERVER/file"
    same longer "$MOUNT/file"
}
