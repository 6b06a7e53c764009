# df answers.
scenario() {
    df "$MOUNT" >/dev/null
    is "$(df --output=target "$MOUNT" | wc -l)" 2
    df -i "$MOUNT" >/dev/null
}
