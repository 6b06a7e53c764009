# What is not there is not there, and says so with the right words.
scenario() {
    refused cat "$MOUNT/nothing"
    is "$(LC_ALL=C cat "$MOUNT/nothing" 2>&1 || true)" "cat: $MOUNT/nothing: No such file or directory"
    is "$(LC_ALL=C rm "$MOUNT/nothing" 2>&1 || true)" "rm: cannot remove '$MOUNT/nothing': No such file or directory"
    is "$(LC_ALL=C ls "$MOUNT/no/thing" 2>&1 || true)" "ls: cannot access '$MOUNT/no/thing': No such file or directory"
}
