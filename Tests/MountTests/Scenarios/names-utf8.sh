# Names in UTF-8 keep their bytes; two spellings of one letter are two names.
composed=$'\xc3\xa9.txt'
decomposed=$'e\xcc\x81.txt'
given() {
    echo composed >"$SERVER/$composed"
    echo decomposed >"$SERVER/$decomposed"
    echo snow >"$SERVER/雪と猫 🐈"
}

scenario() {
    names "$MOUNT" | same - <(names "$SERVER")
    holds "$MOUNT/$composed" $'composed\n'
    holds "$MOUNT/$decomposed" $'decomposed\n'
    mkdir "$MOUNT/Ελληνικά"
    echo new >"$MOUNT/Ελληνικά/ñandú"
    holds "$SERVER/Ελληνικά/ñandú" $'new\n'
    mv "$MOUNT/雪と猫 🐈" "$MOUNT/Ελληνικά/שלום"
    holds "$SERVER/Ελληνικά/שלום" $'snow\n'
    rm "$MOUNT/$composed"
    holds "$SERVER/$decomposed" $'decomposed\n'
}
