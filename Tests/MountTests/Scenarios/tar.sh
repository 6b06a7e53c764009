# tar unpacks into the mount and packs from it.
scenario() {
    mkdir -p tree/a/b
    for name in one two 'three and a half'; do
        noise "tree/$name" 2000
        noise "tree/a/b/$name" 40000
    done
    touch -d '2011-01-01 01:01:01 UTC' tree/one
    chmod 600 tree/two
    tar -cf archive.tar tree
    tar -C "$MOUNT" -xf archive.tar
    same_tree tree "$SERVER/tree"
    is "$(stat -c %Y "$SERVER/tree/one")" "$(stat -c %Y tree/one)"
    is "$(stat -c %a "$SERVER/tree/two")" 600
    tar -C "$MOUNT" -cf back.tar tree
    mkdir back
    tar -C back -xf back.tar
    same_tree tree back/tree
    tar -C "$MOUNT" -czf "$MOUNT/archive.tar.gz" tree
    tar -tzf "$SERVER/archive.tar.gz" | LC_ALL=C sort | same - <(tar -tf archive.tar | LC_ALL=C sort)
}
