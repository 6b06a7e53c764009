# Names with blanks, quotes, shell and URL characters work for files and directories.
list=(
    ' leading blank' 'two  blanks' '#hash' '100%' '%41' '[brackets]' '*' '?' 'a*b?c[d]' '~tilde' '.dot' '..two dots' '...'
    '-dash' '--help' "it's" '"quoted"' ';semicolon' 'a=b;c' '$HOME' '`date`' 'a&b' 'a|b' '<a>' '(a)' '{a,b}' '!x' 'a:b'
    'a,b' 'a -> b' '+plus' '@at' 'type=file; name' '226 done' 'Jan 01 2020 x'
)
given() {
    local name
    for name in "${list[@]}"; do
        printf '%s' "$name" >"$SERVER/$name"
        mkdir -p "$SERVER/directory/$name"
        printf 'inside' >"$SERVER/directory/$name/$name"
    done
}

scenario() {
    names "$MOUNT" | same - <(names "$SERVER")
    names "$MOUNT/directory" | same - <(names "$SERVER/directory")
    local name
    for name in "${list[@]}"; do
        holds "$MOUNT/$name" "$name"
        printf 'changed' >>"$MOUNT/$name"
        holds "$SERVER/$name" "${name}changed"
        mv -- "$MOUNT/$name" "$MOUNT/x$name"
        holds "$SERVER/x$name" "${name}changed"
        rm -- "$MOUNT/x$name"
        is "$(names "$MOUNT/directory/$name")" "$name"
        holds "$MOUNT/directory/$name/$name" inside
        # ProFTPD makes no directory with an asterisk in its name, whoever asks; it says so.
        if mkdir -- "$MOUNT/$name" 2>/dev/null; then
            echo new >"$MOUNT/$name/$name"
            holds "$SERVER/$name/$name" $'new\n'
            is "$(names "$MOUNT/$name")" "$name"
        else
            [[ $name == *'*'* ]] || fail "mkdir '$name' failed"
        fi
    done
    names "$MOUNT" | same - <(names "$SERVER")
    rm -r -- "$MOUNT"/* "$MOUNT"/.[!.]* "$MOUNT"/..?*
    is "$(names "$SERVER")" ''
}
