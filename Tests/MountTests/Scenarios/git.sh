# A git repository can be made, committed to and checked.
scenario() {
    cd "$MOUNT"
    git init -q -b main .
    git config user.name Tester
    git config user.email tester@example.org
    seq 100 >numbers
    mkdir -p deep/er
    echo text >deep/er/file
    git add .
    git commit -q -m 'First'
    echo more >>numbers
    git commit -q -a -m 'Second'
    git checkout -q -b branch HEAD~1
    is "$(wc -l <numbers)" 100
    git checkout -q main
    is "$(wc -l <numbers)" 101
    git fsck --full --strict
    is "$(git status --porcelain)" ''
    # The copy is checked: git on the server's directory would ask who owns it.
    cp -r "$SERVER" "$SCRATCH/copy"
    cd "$SCRATCH/copy"
    git fsck --full --strict
    is "$(git log --format=%s)" $'Second\nFirst'
}
