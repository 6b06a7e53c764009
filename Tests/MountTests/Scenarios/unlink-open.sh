# A file that is removed while open can be read to its end, and leaves nothing behind.
given() { noise "$SERVER/file" 2000000; }

scenario() {
    cp "$SERVER/file" expected
    exec 3<"$MOUNT/file"
    head -c 1000 <&3 >seen
    rm "$MOUNT/file"
    absent "$MOUNT/file"
    is "$(names "$MOUNT")" ''
    cat <&3 >>seen
    exec 3<&-
    # `head` reads ahead of what it shows, so the comparison is by the tail.
    tail -c 1000000 seen | same - <(tail -c 1000000 expected)
    eventually test -z "$(names "$SERVER")"
}
