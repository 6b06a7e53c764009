# grep -r finds text in a tree.
given() {
    mkdir -p "$SERVER/a/b" "$SERVER/c"
    for number in $(seq 30); do echo "line $number" >"$SERVER/a/file$number"; done
    echo 'the needle' >"$SERVER/a/b/hay"
    echo 'another needle' >"$SERVER/c/.hidden"
    noise "$SERVER/c/binary" 100000
}

scenario() {
    is "$(cd "$MOUNT" && grep -r needle . | LC_ALL=C sort)" $'./a/b/hay:the needle\n./c/.hidden:another needle'
    is "$(cd "$MOUNT" && grep -rl 'line 1' a | wc -l)" 11
}
