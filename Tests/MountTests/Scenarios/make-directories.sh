# mkdir -p makes what is missing and takes what is there.
scenario() {
    mkdir -p "$MOUNT/a/b/c/d"
    mkdir -p "$MOUNT/a/b/x"
    mkdir -p "$MOUNT/a/b/c/d"
    is "$(cd "$SERVER" && find . -type d | sort)" $'.\n./a\n./a/b\n./a/b/c\n./a/b/c/d\n./a/b/x'
    is "$(LC_ALL=C mkdir "$MOUNT/a" 2>&1 || true)" "mkdir: cannot create directory '$MOUNT/a': File exists"
}
