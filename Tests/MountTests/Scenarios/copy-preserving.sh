# cp -p keeps time and mode.
scenario() {
    echo kept >file
    chmod 600 file
    touch -d '2010-11-12 13:14:15 UTC' file
    cp -p file "$MOUNT"
    same file "$SERVER/file"
    is "$(stat -c '%Y %a' "$SERVER/file")" "$(stat -c '%Y %a' file)"
}
