# A C program is compiled with make, and runs from where it was made.
given() {
    mkdir "$SERVER/project"
    cd "$SERVER/project"
    echo 'const char *greeting(void);' >greeting.h
    printf '#include "greeting.h"\nconst char *greeting(void) { return "hello"; }\n' >greeting.c
    printf '#include <stdio.h>\n#include "greeting.h"\nint main(void) { puts(greeting()); return 0; }\n' >main.c
    printf 'program: main.o greeting.o\n\t$(CC) -o $@ $^\nmain.o: main.c greeting.h\ngreeting.o: greeting.c greeting.h\n' >Makefile
    touch -d '1 hour ago' *
}

scenario() {
    make -s -C "$MOUNT/project"
    is "$("$MOUNT/project/program")" hello
    make -q -C "$MOUNT/project" || fail 'make would build again what is up to date'
    cp "$SERVER/project/program" copy
    is "$(./copy)" hello
    sed -i s/hello/world/ "$MOUNT/project/greeting.c"
    touch "$MOUNT/project/greeting.c"
    sleep 1 # make compares times, which servers keep to the second
    touch "$MOUNT/project/greeting.c"
    make -s -C "$MOUNT/project"
    is "$("$MOUNT/project/program")" world
}
