# A link on the server leads to its file and to its directory.
given() {
    mkdir "$SERVER/directory"
    echo target >"$SERVER/directory/file"
    ln -s directory/file "$SERVER/link"
    ln -s directory "$SERVER/link-to-directory"
}

scenario() {
    holds "$MOUNT/link" $'target\n'
    is "$(names "$MOUNT/link-to-directory/")" file
    holds "$MOUNT/link-to-directory/file" $'target\n'
    rm "$MOUNT/link"
    absent "$SERVER/link"
    holds "$SERVER/directory/file" $'target\n'
}
