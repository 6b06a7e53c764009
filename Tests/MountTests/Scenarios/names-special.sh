# Names with blanks, quotes, shell and URL characters work for files and directories.
list=(
    ' leading blank' 'trailing blank ' 'two  blanks' '#hash' '100%' '%41' '[brackets]' '*' '?' 'a*b?c[d]' '~tilde'
    '.dot' '..two dots' '...' '-dash' '--help' "it's" '"quoted"' ';semicolon' 'a=b;c' '$HOME' '`date`' 'a&b' 'a|b' '<a>'
    '(a)' '{a,b}' '!x' 'a:b' 'a,b' 'a -> b' '+plus' '@at' 'type=file; name' '226 done' 'Jan 01 2020 x'
)
given() {
    local name
    for name in "${list[@]}"; do printf '%s' "$name" >"$SERVER/$name"; done
}

scenario() {
    names "$MOUNT" | same - <(names "$SERVER")
    local name
    for name in "${list[@]}"; do
        holds "$MOUNT/$name" "$name"
        printf 'changed' >>"$MOUNT/$name"
        holds "$SERVER/$name" "${name}changed"
        mv -- "$MOUNT/$name" "$MOUNT/x$name"
        holds "$SERVER/x$name" "${name}changed"
        rm -- "$MOUNT/x$name"
        mkdir -- "$MOUNT/$name"
        echo inside >"$MOUNT/$name/$name"
        holds "$SERVER/$name/$name" $'inside\n'
        is "$(names "$MOUNT/$name")" "$name"
    done
    names "$MOUNT" | same - <(names "$SERVER")
    rm -r -- "$MOUNT"/* "$MOUNT"/.[!.]* "$MOUNT"/..?*
    is "$(names "$SERVER")" ''
}
