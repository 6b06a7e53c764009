# One handle reads and writes, and sees its own bytes.
given() { noise "$SERVER/file" 50000; }

scenario() {
    cp "$SERVER/file" expected
    cat >change.py <<'END'
import os, sys

file = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(file, b"in the middle", 20_000)
assert os.pread(file, 13, 20_000) == b"in the middle"
before = os.pread(file, 100, 49_950)
assert len(before) == 50
os.lseek(file, 0, os.SEEK_END)
os.write(file, before)
os.fsync(file)
os.ftruncate(file, 50_020)
assert os.fstat(file).st_size == 50_020
os.close(file)
END
    python3 change.py "$MOUNT/file"
    python3 change.py expected
    same expected "$SERVER/file"
    same expected "$MOUNT/file"
}
