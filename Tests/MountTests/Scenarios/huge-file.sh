# The end of a file of 5 GiB is read without the rest.
given() {
    truncate -s 5G "$SERVER/huge"
    printf 'the very end' >>"$SERVER/huge"
    printf 'middle' | dd of="$SERVER/huge" bs=1 seek=4294967299 conv=notrunc status=none
}

scenario() {
    is "$(stat -c %s "$MOUNT/huge")" 5368709132
    is "$(tail -c 12 "$MOUNT/huge")" 'the very end'
    is "$(dd if="$MOUNT/huge" bs=1 skip=4294967299 count=6 status=none)" middle
    is "$(head -c 4 "$MOUNT/huge" | od -An -tx1)" ' 00 00 00 00'
}
