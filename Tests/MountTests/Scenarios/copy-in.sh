# cp brings files to the server.
scenario() {
    noise small 100
    noise large 5000003
    cp small large "$MOUNT"
    same small "$SERVER/small"
    same large "$SERVER/large"
}
