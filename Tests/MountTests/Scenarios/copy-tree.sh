# cp -r takes a directory there and back.
scenario() {
    mkdir -p tree/a/b tree/empty
    for name in one two three; do
        noise "tree/$name" 3000
        noise "tree/a/b/$name" 70000
    done
    cp -r tree "$MOUNT/there"
    same_tree tree "$SERVER/there"
    cp -r "$MOUNT/there" back
    same_tree tree back
    cp -r "$MOUNT/there" "$MOUNT/again"
    same_tree tree "$SERVER/again"
}
