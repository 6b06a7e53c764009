# A directory with 10,000 entries is listed whole.
given() { (cd "$SERVER" && seq -f 'entry-%05g' 10000 | xargs touch); }

scenario() {
    ls "$MOUNT" | same - <(seq -f 'entry-%05g' 10000)
    is "$(ls -l "$MOUNT" | tail -n +2 | wc -l)" 10000
    is "$(find "$MOUNT" -type f | wc -l)" 10000
    rm "$MOUNT/entry-05000"
    echo new >"$MOUNT/entry-05000a"
    ls "$MOUNT" | same - <(ls "$SERVER")
}
