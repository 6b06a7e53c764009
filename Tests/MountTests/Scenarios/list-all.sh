# ls -la shows every entry, dot files too, with kind and size.
given() {
    printf 'twelve bytes' >"$SERVER/file"
    printf 'x' >"$SERVER/.hidden"
    mkdir "$SERVER/directory"
    : >"$SERVER/empty"
    touch -d '2001-02-03 00:00 UTC' "$SERVER/file"
}

scenario() {
    ls -la "$MOUNT" >listing
    is "$(tail -n +2 listing | awk '{print substr($1, 1, 1), $NF}' | sort)" $'- .hidden\n- empty\n- file\nd .\nd ..\nd directory'
    is "$(awk '$NF == "file" {print $5}' listing)" 12
    is "$(awk '$NF == "empty" {print $5}' listing)" 0
    is "$(stat -c %Y "$MOUNT/file")" "$(date -d '2001-02-03 00:00 UTC' +%s)"
}
