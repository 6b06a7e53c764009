# The checks of scripts/conformance: each is a function that works in the current directory, which is in the mount and empty,
# with $SCRATCH as an empty directory outside, and $SERVER as the server's side of the same. $SCALE is 1 with --quick, else 4.
# The first command that fails ends it.

check_fio_random() {
    fio --name=random --filename=file --size=$((4 * SCALE))m --rw=randwrite --bs=4k --ioengine=psync --verify=crc32c \
        --do_verify=1 --verify_fatal=1 --fsync_on_close=1 --randseed=1
}

check_fio_mapped() {
    fio --name=mapped --filename=file --size=$((4 * SCALE))m --rw=randwrite --bs=4k --ioengine=mmap --verify=crc32c \
        --do_verify=1 --verify_fatal=1 --randseed=2
}

check_fio_jobs() {
    fio --directory=. --size=$((2 * SCALE))m --bs=64k --ioengine=psync --verify=md5 --do_verify=1 --verify_fatal=1 \
        --name=writer --rw=write --numjobs=3 --name=mixed --rw=randrw --numjobs=2
}

check_fio_sync() {
    fio --name=sync --filename=file --size=256k --rw=write --bs=16k --fsync=1 --ioengine=psync --verify=crc32c --do_verify=1
}

# The stressors of files that have to do with this kind of file system, one after the other, each checking itself.
check_stress() {
    local stressor status wrong=0 known tried=0
    known=$(stress-ng --help)
    for stressor in access chdir chmod dentry dir dirdeep dirmany dup fallocate fcntl filename flock fpunch fsize \
        fstat getdent handle hdd io iomix locka lockf lockofd open rename seek sync-file touch unlink utime verity xattr; do
        status=0
        # Versions differ in what they have.
        if [[ "$known" != *" --$stressor N"* ]]; then continue; fi
        tried=$((tried + 1))
        timeout 60 stress-ng --temp-path . --"$stressor" 1 --timeout 2 --verify --quiet \
            ${STRESS_LIMITS[$stressor]-} >"$SCRATCH/said" 2>&1 || status=$?
        # 3 and 4: what it needs is not implemented, or there is nothing to do.
        case $status in
            0 | 3 | 4) ;;
            *)
                echo "stress-ng --$stressor: $status"
                tail -5 "$SCRATCH/said"
                wrong=1
                ;;
        esac
    done
    [[ $tried -ge 20 && $wrong == 0 ]]
}
# What would take more than the time, or fill the server's disk.
declare -A STRESS_LIMITS=(
    [dirdeep]='--dirdeep-inodes 60 --dirdeep-dirs 2' [dirmany]='--dirmany-ops 200'
    [fallocate]='--fallocate-bytes 8m' [hdd]='--hdd-bytes 8m' [iomix]='--iomix-bytes 8m' [seek]='--seek-size 4m'
    [dentry]='--dentries 100' [filename]='--filename-ops 200' [sync-file]='--sync-file-bytes 4m' [fpunch]='--fpunch-ops 20'
)

check_sqlite_journals() {
    local mode
    for mode in delete truncate persist memory wal; do
        sqlite3 "$mode.db" >"$SCRATCH/said" <<-EOF
			PRAGMA journal_mode=$mode;
			CREATE TABLE t(id INTEGER PRIMARY KEY, value TEXT);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
			INSERT INTO t SELECT i, hex(randomblob(50)) FROM n;
			BEGIN; UPDATE t SET value = 'x' WHERE id % 7 = 0; COMMIT;
			BEGIN; DELETE FROM t; ROLLBACK;
		EOF
        test "$(sqlite3 "$mode.db" 'PRAGMA integrity_check; SELECT count(*) FROM t')" = $'ok\n2000'
    done
}

# A program is killed between its transactions: what it had said was done is there, and the data base is sound.
check_sqlite_killed() {
    local round said there
    for round in $(seq "$SCALE"); do
        rm -f killed.db* "$SCRATCH/said"
        python3 -u - killed.db >"$SCRATCH/said" <<-'EOF' &
			import sqlite3, sys
			base = sqlite3.connect(sys.argv[1], isolation_level=None)
			base.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, value BLOB)")
			for number in range(1, 100000):
			    base.execute("BEGIN")
			    base.execute("INSERT INTO t VALUES(?, randomblob(3000))", (number,))
			    base.execute("COMMIT")
			    print(number)
		EOF
        until [[ "$(wc -l <"$SCRATCH/said")" -ge 5 ]]; do sleep 0.1; done
        kill -9 $!
        wait $! || true
        said=$(tail -1 "$SCRATCH/said")
        there=$(sqlite3 killed.db 'PRAGMA integrity_check; SELECT count(*) FROM t')
        [[ "$there" == ok$'\n'* && "${there#*$'\n'}" -ge "$said" ]] || { echo "said $said, there: $there"; return 1; }
    done
}

check_git() {
    git init --quiet --bare "$SCRATCH/origin"
    git clone --quiet "$SCRATCH/origin" work 2>&1
    cd work
    git config user.name Tester
    git config user.email tester@localhost
    local number
    for number in $(seq $((SCALE * 3))); do
        mkdir -p "d$number"
        seq "$number" $((number * 100)) >"d$number/file"
        git add .
        git commit --quiet --message "change $number"
    done
    git mv d1 moved
    git commit --quiet --message moved
    git push --quiet origin HEAD
    git gc --quiet
    git fsck --strict
    git checkout --quiet -b side HEAD~2
    git merge --quiet --no-edit -
    test -z "$(git status --porcelain)"
}

check_rsync() {
    cp -r "$SOURCES/Sources/FTPProtocol" "$SOURCES/Sources/CLinux" "$SCRATCH"
    rsync --archive --itemize-changes "$SCRATCH/FTPProtocol" "$SCRATCH/CLinux" . >"$SCRATCH/first"
    rsync --archive --itemize-changes "$SCRATCH/FTPProtocol" "$SCRATCH/CLinux" . >"$SCRATCH/second"
    test -s "$SCRATCH/first"
    if grep -q '^>' "$SCRATCH/second"; then
        cat "$SCRATCH/second"
        return 1
    fi
    diff -r "$SCRATCH/FTPProtocol" FTPProtocol
    rsync --archive --checksum --dry-run --itemize-changes "$SCRATCH/FTPProtocol" . | { ! grep '^>'; }
}

check_tar() {
    cp -r "$SOURCES/Sources/FTPProtocol" "$SCRATCH/tree"
    tar --create --file=all.tar --directory="$SCRATCH" tree
    tar --extract --file=all.tar
    diff -r "$SCRATCH/tree" tree
    tar --compare --file=all.tar
    tar --append --file=all.tar -C "$SCRATCH" tree/Command.swift
    tar --list --file=all.tar | tail -1 | grep -q Command.swift
}

# As vim writes: a backup beside it, the new file under the old name, and away with the backup.
check_editor() {
    echo one >text
    local number
    for number in $(seq 10); do
        mv text text~
        { cat text~; echo "line $number"; } >text
        python3 -c 'import os, sys; os.fsync(os.open(sys.argv[1], os.O_RDWR))' text
        rm text~
    done
    for number in $(seq 10); do
        { cat text; echo "more $number"; } >.text.new
        mv .text.new text
    done
    test "$(wc -l <text)" = 21
    vim -es -u NONE -c '%s/line/row/' -c wq text
    test "$(grep -c row text)" = 10
}

check_compiler() {
    printf '#include "part.h"\n#include <stdio.h>\nint main(void) { return printf("%%d\\n", part()) < 0; }\n' >main.c
    printf 'int part(void);\n' >part.h
    printf '#include "part.h"\nint part(void) { return 42; }\n' >part.c
    printf 'all: program\nprogram: main.o part.o\n\t$(CC) -g -o $@ $^\nmain.o part.o: part.h\n' >Makefile
    make --silent
    test "$(./program)" = 42
    make --silent | { ! grep .; }
    ar rcs libpart.a part.o
    strip program
    test "$(./program)" = 42
}
