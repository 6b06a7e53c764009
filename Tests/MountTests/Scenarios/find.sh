# find walks a tree and sees kinds, names and sizes.
given() {
    for one in a b c; do
        for two in x y z; do
            mkdir -p "$SERVER/$one/$two"
            printf '%s' "$one$two" >"$SERVER/$one/$two/$one$two.txt"
        done
    done
    noise "$SERVER/b/y/large.bin" 5000
}

scenario() {
    is "$(find "$MOUNT" -type d | wc -l)" 13
    is "$(find "$MOUNT" -name '*.txt' | wc -l)" 9
    is "$(find "$MOUNT" -size +1k -type f -printf '%P')" b/y/large.bin
    is "$(find "$MOUNT" -type f -name 'b*' -exec cat {} + | wc -c)" 6
    (cd "$MOUNT" && find . | LC_ALL=C sort) | same - <(cd "$SERVER" && find . | LC_ALL=C sort)
}
