# The byte 255, which means something on a TELNET connection, is a byte like others in a name.
name=$'a\xffb'
given() { echo there >"$SERVER/$name"; }

scenario() {
    LC_ALL=C
    names "$MOUNT" | same - <(names "$SERVER")
    holds "$MOUNT/$name" $'there\n'
    echo new >"$MOUNT/x$name"
    holds "$SERVER/x$name" $'new\n'
    rm "$MOUNT/$name"
    is "$(names "$SERVER")" "x$name"
}
