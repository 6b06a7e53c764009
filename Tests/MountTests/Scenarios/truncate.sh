# truncate makes a file shorter, and longer with zeros.
given() { noise "$SERVER/file" 100000; }

scenario() {
    cp "$SERVER/file" expected
    for size in 70000 200000 1 0 4096; do
        truncate -s "$size" "$MOUNT/file" expected
        same expected "$SERVER/file"
        is "$(stat -c %s "$MOUNT/file")" "$size"
    done
    same expected "$MOUNT/file"
}
