# A name that ends in a blank works, or is refused: Pure-FTPd makes another name of it when it writes. Never does a
# program hear of success when the bytes went elsewhere.
given() {
    printf 'old' >"$SERVER/there "
    printf 'other' >"$SERVER/kept"
}

scenario() {
    holds "$MOUNT/there " old
    if printf 'more' 2>/dev/null >>"$MOUNT/there "; then holds "$SERVER/there " oldmore; fi
    if printf 'new' 2>/dev/null >"$MOUNT/new "; then holds "$SERVER/new " new; fi
    if mkdir "$MOUNT/directory " 2>/dev/null; then is "$(stat -c %F "$SERVER/directory ")" directory; fi
    if mv "$MOUNT/kept" "$MOUNT/moved " 2>/dev/null; then holds "$SERVER/moved " other; else holds "$SERVER/kept" other; fi
    is "$(names "$SERVER" | grep -v ' $' | grep -vx kept || true)" ''
}
