# vim edits and saves.
given() { printf 'one\ntwo\nthree\n' >"$SERVER/file"; }

scenario() {
    vim -N -u NONE -i NONE -es -c '%s/two/2/' -c 'wq' "$MOUNT/file"
    holds "$SERVER/file" $'one\n2\nthree\n'
    vim -N -u NONE -i NONE -es -c 'normal Gofour' -c 'wq' "$MOUNT/file"
    holds "$SERVER/file" $'one\n2\nthree\nfour\n'
    vim -N -u NONE -i NONE -es -c 'normal ihello' -c 'wq' "$MOUNT/new"
    holds "$SERVER/new" $'hello\n'
    is "$(names "$SERVER")" $'file\nnew'
}
