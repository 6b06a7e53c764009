# A directory can be renamed while somebody works in it.
given() {
    mkdir "$SERVER/here"
    echo file >"$SERVER/here/file"
}

scenario() {
    cd "$MOUNT/here"
    mv "$MOUNT/here" "$MOUNT/there"
    holds file $'file\n'
    echo new >made-afterwards
    holds "$SERVER/there/made-afterwards" $'new\n'
}
