# Bytes are right from wherever a file is read, forwards, backwards and across its end.
given() { noise "$SERVER/file" 3000000; }

scenario() {
    cat >pieces.py <<'END'
import os, random, sys

a, b = (os.open(path, os.O_RDONLY) for path in sys.argv[1:])
places = [0, 1, 4095, 4096, 131_071, 2_999_999, 3_000_000, 3_000_001]
places += [random.Random(1).randrange(3_000_000) for _ in range(20)] + list(range(2_000_000, 1_000_000, -300_001))
for place in places:
    assert os.pread(a, 70_000, place) == os.pread(b, 70_000, place), place
END
    python3 pieces.py "$MOUNT/file" "$SERVER/file"
}
