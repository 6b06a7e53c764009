# Names that are not UTF-8 keep their bytes.
latin=$'Gr\xfc\xdfe.txt'
broken=$'\x80\xc3(\xfe'
given() {
    echo latin >"$SERVER/$latin"
    mkdir "$SERVER/d$broken"
    echo broken >"$SERVER/d$broken/$broken"
}

scenario() {
    LC_ALL=C
    names "$MOUNT" | same - <(names "$SERVER")
    holds "$MOUNT/$latin" $'latin\n'
    holds "$MOUNT/d$broken/$broken" $'broken\n'
    echo new >"$MOUNT/new $latin"
    holds "$SERVER/new $latin" $'new\n'
    mv "$MOUNT/d$broken" "$MOUNT/$broken"
    echo more >>"$MOUNT/$broken/$broken"
    holds "$SERVER/$broken/$broken" $'broken\nmore\n'
    rm -r "$MOUNT/$broken" "$MOUNT/$latin"
    is "$(names "$SERVER")" "new $latin"
}
