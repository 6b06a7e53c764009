"""Thousands of random operations on files, each done in a mount and in a plain directory; results and errors must be the
same, and at each sync point the server's own directory must hold what the plain one holds.

    random_operations.py MOUNT SERVER REFERENCE SEED COUNT
"""

import errno
import hashlib
import mmap
import os
import random
import sys
import time

NAMES = ["a", "b", "c", "d e", "f.txt"]
SYNC_EVERY = 250
MOST_OPEN = 8
MODES = [os.O_RDONLY, os.O_WRONLY, os.O_RDWR]


class Difference(Exception):
    pass


def attempt(body):
    """What a system call gives: ("ok", result) or ("error", name)."""
    try:
        return ("ok", body())
    except OSError as error:
        return ("error", errno.errorcode.get(error.errno, error.errno))


def tree(top):
    """All below a directory: kinds, and the sizes and checksums of files."""
    found = {}
    for directory, directories, files in os.walk(top):
        base = os.path.relpath(directory, top)
        for name in directories:
            found[os.path.join(base, name)] = "directory"
        for name in files:
            try:
                with open(os.path.join(directory, name), "rb") as file:
                    content = file.read()
            except FileNotFoundError:
                # It went while this was looking; whoever compares looks again.
                continue
            found[os.path.join(base, name)] = (len(content), hashlib.sha256(content).hexdigest())
    return found


class Run:
    def __init__(self, mount, server, reference, seed):
        self.tops = (reference, mount)
        self.server = server
        self.random = random.Random(seed)
        self.open = []
        self.history = []

    def both(self, what, body):
        """Does the same in both places; body gets the directory or the descriptor of the place."""
        self.history.append(what)
        results = [attempt(lambda index=index: body(index)) for index in (0, 1)]
        if results[0] != results[1]:
            short = [repr(result)[:200] for result in results]
            raise Difference(f"{what}: expected {short[0]}, got {short[1]}")
        return results[0]

    # Choices

    def path(self, *, directories=True):
        depth = self.random.choice([0, 0, 1, 1, 2])
        parts = [self.random.choice(["x", "y"]) for _ in range(depth)]
        name = self.random.choice(["x", "y"]) if directories and self.random.random() < 0.1 else self.random.choice(NAMES)
        return os.path.join(*parts, name)

    def data(self):
        kind = self.random.random()
        if kind < 0.80:
            size = self.random.randrange(1, 2000)
        elif kind < 0.97:
            size = self.random.randrange(2000, 200_000)
        else:
            size = self.random.randrange(200_000, 2_500_000)
        return self.random.randbytes(size)

    def offset(self, handle):
        size = os.fstat(handle[0]).st_size
        return self.random.choice([size, size, 0, self.random.randrange(size + 1), self.random.randrange(size + 5000)])

    # Operations

    def do_open(self):
        path = self.path()
        flags = self.random.choice(MODES)
        for flag, chance in ((os.O_CREAT, 0.6), (os.O_TRUNC, 0.2), (os.O_APPEND, 0.25), (os.O_EXCL, 0.1)):
            if self.random.random() < chance:
                flags |= flag
        if flags & os.O_EXCL and not flags & os.O_CREAT:
            flags &= ~os.O_EXCL
        if flags & os.O_TRUNC and flags & os.O_ACCMODE == os.O_RDONLY:
            flags &= ~os.O_TRUNC
        handle = []

        def body(index):
            handle.append(os.open(os.path.join(self.tops[index], path), flags, 0o644))

        if self.both(f"open {path} {flags:o}", body)[0] == "ok":
            self.open.append((*handle, flags, path))
            self.history.append(f"is {handle[0]}")
        if len(self.open) > MOST_OPEN:
            self.do_close()

    def handle(self):
        handle = self.random.choice(self.open) if self.open else None
        # Several handles may have been opened by the same name.
        if handle:
            self.history.append(f"{handle[0]}:")
        return handle

    def do_write(self):
        if handle := self.handle():
            data, offset = self.data(), self.offset(handle)
            self.both(f"pwrite {handle[3]} {len(data)} at {offset}", lambda index: os.pwrite(handle[index], data, offset))

    def do_run_of_writes(self):
        """As cp does."""
        if handle := self.handle():
            size = os.fstat(handle[0]).st_size
            for _ in range(self.random.randrange(1, 12)):
                data = self.random.randbytes(131_072)
                self.both(f"run {handle[3]} at {size}", lambda index: os.pwrite(handle[index], data, size))
                size += len(data)

    def do_read(self):
        if handle := self.handle():
            count, offset = self.random.randrange(1, 300_000), self.offset(handle)
            self.both(f"pread {handle[3]} {count} at {offset}", lambda index: os.pread(handle[index], count, offset))

    def do_truncate_open(self):
        if handle := self.handle():
            size = self.random.choice([0, self.offset(handle)])
            self.both(f"ftruncate {handle[3]} to {size}", lambda index: os.ftruncate(handle[index], size))

    def do_truncate(self):
        path, size = self.path(), self.random.choice([0, 10, 5000, 300_000])
        self.both(f"truncate {path} to {size}", lambda index: os.truncate(os.path.join(self.tops[index], path), size))

    def do_sync(self):
        if handle := self.handle():
            self.both(f"fsync {handle[3]}", lambda index: os.fsync(handle[index]))

    def do_close_duplicate(self):
        if handle := self.handle():
            self.both(f"close a dup of {handle[3]}", lambda index: os.close(os.dup(handle[index])))

    def do_map(self):
        handle = self.handle()
        if handle and handle[2] & os.O_ACCMODE == os.O_RDWR and os.fstat(handle[0]).st_size > 10:
            place = self.random.randrange(os.fstat(handle[0]).st_size - 5)
            data = self.random.randbytes(5)

            def body(index):
                with mmap.mmap(handle[index], 0) as mapping:
                    mapping[place:place + 5] = data
                    mapping.flush()

            self.both(f"mmap {handle[3]} at {place}", body)

    def do_close(self):
        if self.open:
            handle = self.open.pop(self.random.randrange(len(self.open)))
            self.both(f"close {handle[3]}", lambda index: os.close(handle[index]))

    def do_rename(self):
        old, new = self.path(), self.path()

        def body(index):
            os.rename(os.path.join(self.tops[index], old), os.path.join(self.tops[index], new))

        self.both(f"rename {old} to {new}", body)

    def do_unlink(self):
        path = self.path()
        self.both(f"unlink {path}", lambda index: os.unlink(os.path.join(self.tops[index], path)))

    def do_make_directory(self):
        path = os.path.join(*[self.random.choice(["x", "y"]) for _ in range(self.random.choice([1, 2]))])
        self.both(f"mkdir {path}", lambda index: os.mkdir(os.path.join(self.tops[index], path)))

    def do_remove_directory(self):
        path = self.path()
        self.both(f"rmdir {path}", lambda index: os.rmdir(os.path.join(self.tops[index], path)))

    def do_stat(self):
        path = self.path()

        def body(index):
            status = os.stat(os.path.join(self.tops[index], path))
            return (status.st_mode & 0o170000, status.st_size if status.st_mode & 0o100000 else 0)

        self.both(f"stat {path}", body)

    def do_list(self):
        path = self.random.choice([".", "x", "y", "x/y"])
        self.both(f"ls {path}", lambda index: sorted(os.listdir(os.path.join(self.tops[index], path))))

    def do_replace(self):
        """As editors and rsync do: a new file beside it, and a rename."""
        path, data = self.path(directories=False), self.data()

        def body(index):
            target = os.path.join(self.tops[index], path)
            with open(f"{target}.new", "wb") as file:
                file.write(data)
            os.rename(f"{target}.new", target)

        self.both(f"replace {path}", body)

    OPERATIONS = (
        [do_open] * 12 + [do_write] * 16 + [do_run_of_writes] * 1 + [do_read] * 12 + [do_truncate_open] * 2
        + [do_truncate] * 2 + [do_sync] * 3 + [do_close_duplicate] * 2 + [do_map] * 2 + [do_close] * 9 + [do_rename] * 4
        + [do_unlink] * 4 + [do_make_directory] * 2 + [do_remove_directory] * 1 + [do_stat] * 6 + [do_list] * 3
        + [do_replace] * 2)

    def compare(self):
        while self.open:
            self.do_close()
        expected = tree(self.tops[0])
        for place in (self.server, self.tops[1]):
            # A file whose last descriptor was closed without a write goes from the server a moment later.
            for _ in range(100):
                found = tree(place)
                if found == expected:
                    break
                time.sleep(0.05)
            if found != expected:
                wrong = sorted(set(expected.items()) ^ set(found.items()))
                raise Difference(f"in {place}: {wrong[:10]}")

    def run(self, count):
        for number in range(count):
            self.random.choice(self.OPERATIONS)(self)
            if number % SYNC_EVERY == SYNC_EVERY - 1:
                self.compare()
        self.compare()


def main():
    mount, server, reference, seed, count = sys.argv[1:]
    run = Run(mount, server, reference, int(seed))
    try:
        run.run(int(count))
    except Difference as difference:
        print(f"seed {seed}: {difference}\nbefore that:\n" + "\n".join(run.history[-150:]), file=sys.stderr)
        return 1
    return 0


sys.exit(main())
