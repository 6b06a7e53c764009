# A file is read and changed through a mapping.
given() { noise "$SERVER/file" 300000; }

scenario() {
    cp "$SERVER/file" expected
    cat >change.py <<'END'
import mmap, sys

with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
    print(sum(mapping[:]))
    mapping[100_000:100_007] = b"changed"
    mapping[-3:] = b"end"
    mapping.flush()
END
    is "$(python3 change.py "$MOUNT/file")" "$(python3 change.py expected)"
    same expected "$SERVER/file"
}
