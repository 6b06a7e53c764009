# Empty files arrive, and files are emptied.
given() {
    : >"$SERVER/empty"
    echo full >"$SERVER/full"
}

scenario() {
    is "$(cat "$MOUNT/empty")" ''
    touch "$MOUNT/touched"
    : >"$MOUNT/redirected"
    cp /dev/null "$MOUNT/copied"
    : >"$MOUNT/full"
    local name
    for name in touched redirected copied full; do is "$(stat -c '%F %s' "$SERVER/$name")" 'regular empty file 0'; done
}
