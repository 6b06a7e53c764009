# A name may have 255 bytes and not more; a path may be deep.
scenario() {
    local long deep='' number
    long=$(printf 'x%.0s' $(seq 255))
    echo long >"$MOUNT/$long"
    holds "$SERVER/$long" $'long\n'
    is "$(LC_ALL=C touch "$MOUNT/${long}x" 2>&1 || true)" "touch: cannot touch '$MOUNT/${long}x': File name too long"
    for number in $(seq 20); do deep+="/directory-$number"; done
    mkdir -p "$MOUNT$deep"
    echo deep >"$MOUNT$deep/file"
    holds "$SERVER$deep/file" $'deep\n'
}
