# chmod changes the mode on the server; a script becomes executable.
given() {
    printf '#!/bin/sh\necho ran\n' >"$SERVER/script"
    mkdir "$SERVER/directory"
}

scenario() {
    chmod 640 "$MOUNT/script"
    is "$(stat -c %a "$SERVER/script")" 640
    chmod u+x "$MOUNT/script"
    is "$(stat -c %a "$SERVER/script")" 740
    is "$(stat -c %a "$MOUNT/script")" 740
    is "$("$MOUNT/script")" ran
    chmod 700 "$MOUNT/directory"
    is "$(stat -c %a "$SERVER/directory")" 700
}
