# touch -d sets the time on the server, to the second; touch makes a file.
given() { echo x >"$SERVER/file"; }

scenario() {
    touch -d '2001-02-03 04:05:06 UTC' "$MOUNT/file"
    is "$(stat -c %Y "$SERVER/file")" "$(date -d '2001-02-03 04:05:06 UTC' +%s)"
    is "$(stat -c %Y "$MOUNT/file")" "$(date -d '2001-02-03 04:05:06 UTC' +%s)"
    holds "$SERVER/file" $'x\n'
    touch -d '1999-12-31 23:59:59 UTC' "$MOUNT/new"
    is "$(stat -c '%s %Y' "$SERVER/new")" "0 $(date -d '1999-12-31 23:59:59 UTC' +%s)"
}
