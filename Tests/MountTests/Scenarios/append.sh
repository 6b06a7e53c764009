# >> appends, to a new file, to an existing one, and with the file kept open.
given() { printf 'first\n' >"$SERVER/log"; }

scenario() {
    echo second >>"$MOUNT/log"
    holds "$SERVER/log" $'first\nsecond\n'
    echo third >>"$MOUNT/log"
    holds "$SERVER/log" $'first\nsecond\nthird\n'
    echo new >>"$MOUNT/new"
    holds "$SERVER/new" $'new\n'
    for number in 1 2 3; do echo "$number"; done >>"$MOUNT/log"
    holds "$SERVER/log" $'first\nsecond\nthird\n1\n2\n3\n'
    holds "$MOUNT/log" $'first\nsecond\nthird\n1\n2\n3\n'
}
