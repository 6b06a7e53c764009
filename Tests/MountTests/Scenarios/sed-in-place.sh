# sed -i changes a file and keeps its mode.
given() {
    seq 1000 >"$SERVER/file"
    chmod 640 "$SERVER/file"
}

scenario() {
    sed -i 's/^500$/five hundred/' "$MOUNT/file"
    seq 1000 | sed 's/^500$/five hundred/' | same - "$SERVER/file"
    is "$(names "$SERVER")" file
    is "$(stat -c %a "$SERVER/file")" 640
}
