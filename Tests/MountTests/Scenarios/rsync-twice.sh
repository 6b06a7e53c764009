# rsync -a brings a tree; the second time it moves nothing.
scenario() {
    mkdir -p tree/a/b
    for name in one two three; do
        noise "tree/$name" 3000
        noise "tree/a/b/$name" 50000
    done
    touch -d '2012-03-04 05:06:07 UTC' tree/one
    rsync -a tree/ "$MOUNT/tree/"
    same_tree tree "$SERVER/tree"
    is "$(names "$SERVER/tree")" $'a\none\nthree\ntwo'
    rsync -a --itemize-changes --stats tree/ "$MOUNT/tree/" >second
    grep -qx 'Number of regular files transferred: 0' second || fail "$(cat second)"
    # Files are neither sent nor touched. A line on a directory's time is allowed: vsftpd cannot set that.
    if grep -E '^[<>c.][fLS]' second; then fail 'the second run changed files'; fi
    echo changed >>tree/two
    rsync -a --itemize-changes tree/ "$MOUNT/tree/" | grep -E '^[<>]f' >third
    is "$(wc -l <third)" 1
    same tree/two "$SERVER/tree/two"
    rsync -a --delete --exclude=a "$MOUNT/tree/" back/
    same back/one tree/one
}
