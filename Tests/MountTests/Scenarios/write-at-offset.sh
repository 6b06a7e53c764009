# dd conv=notrunc changes bytes in the middle, and beyond the end.
given() { noise "$SERVER/file" 1000000; }

scenario() {
    cp "$SERVER/file" expected
    for place in 0 12345 999998 1500000; do
        printf 'changed' | dd of="$MOUNT/file" bs=1 seek="$place" conv=notrunc status=none
        printf 'changed' | dd of=expected bs=1 seek="$place" conv=notrunc status=none
        same expected "$SERVER/file"
    done
    same expected "$MOUNT/file"
}
