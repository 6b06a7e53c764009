# A name with a blank at its end is that file and no other. A server that cannot make such names refuses; it does not write elsewhere.
given() {
    printf old >"$SERVER/name "
    printf other >"$SERVER/name"
}

scenario() {
    holds "$MOUNT/name " old
    if cp "$SERVER/name" "$MOUNT/name " && mkdir "$MOUNT/directory " && mv "$MOUNT/name" "$MOUNT/moved "; then
        holds "$SERVER/name " other
        holds "$SERVER/moved " other
        is "$(names "$SERVER")" $'directory \nmoved \nname '
    else
        holds "$SERVER/name " old
        holds "$SERVER/name" other
        is "$(names "$SERVER")" $'name\nname '
    fi
    rm -r "$MOUNT"/*
    is "$(names "$SERVER")" ''
}
