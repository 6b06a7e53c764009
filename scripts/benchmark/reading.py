"""The works that read."""

import mmap
import os
import random
import subprocess

from .child import Failed, TooSlow, do, program
from .content import BLOCK, digest, names, small, tree_of, write_file
from .sizes import amount_text
from .summary import LIMIT, OURS
from .work import Work

PAGE = 4096


def read_through(path):
    """Reads a file from one end to the other, a MiB at a time, and returns its length."""
    buffer, length = bytearray(BLOCK), 0
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            length += count
    return length


def demand(condition, message="wrong content"):
    if not condition:
        raise Failed(message)


class Bulk(Work):
    """A file as large as a film."""

    def __init__(self, site):
        super().__init__(site)
        self.amount = ("bytes", self.sizes.bulk)

    def prepare(self):
        write_file(self.site.served / "bulk", self.sizes.bulk, seed=1)
        self.digest = digest(self.site.served / "bulk")

    def run(self, place):
        return read_through(place / "bulk")

    def check(self, place, result):
        demand(result == self.sizes.bulk and digest(place / "bulk") == self.digest)


class SequentialRead(Bulk):
    has_floor = True

    def __init__(self, site):
        super().__init__(site)
        self.title = f"sequential read, {amount_text(self.sizes.bulk)}"

    def curl(self, url):
        return ["-o", "/dev/null", f"{url}bulk"]


class SecondRead(Bulk):
    title = "the same file again"

    PATIENCE = 5
    """Seconds: a hundred times what the kernel needs for what it has."""

    def warm(self, place):
        read_through(place / "bulk")

    def asks_daemon(self, mount):
        """Reads it once more while the daemon is stopped: what waits then has asked it."""
        try:
            do(lambda: self._read_without(mount), self.PATIENCE)
        except TooSlow:
            return True
        finally:
            mount.let_go_on()
        return False

    def _read_without(self, mount):
        """Opens it, which may ask whether it is still the same, and touches all its pages without the daemon.

        In memory, and not by read(2): that may ask for the attributes first, when they are old, which is no READ.
        """
        with (
            open(mount.path / "bulk", "rb", buffering=0) as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages,
        ):
            mount.stop()
            sum(pages[:: mmap.PAGESIZE])
            # Closing asks the daemon too.
            mount.let_go_on()


class SecureRead(Bulk):
    """The same content from a server that demands TLS for both connections."""

    is_secure = True

    def __init__(self, site):
        super().__init__(site)
        self.title = f"sequential read by TLS, {amount_text(self.sizes.bulk)}"

    def prepare(self):
        super().prepare()
        # One content for both servers: it is as large as a film.
        (self.site.secure / "bulk").unlink(missing_ok=True)
        os.link(self.site.served / "bulk", self.site.secure / "bulk")

    def curl(self, url):
        return ["-o", "/dev/null", f"{url}bulk"]


class ParallelRead(Work):
    has_floor = True
    login_counts = True
    """curl has a connection of its own for each, and nothing can be first."""

    def __init__(self, site):
        super().__init__(site)
        self.title = f"4 files of {amount_text(self.sizes.parallel)} at once"
        self.amount = ("bytes", 4 * self.sizes.parallel)
        self.names = names("parallel", 4)

    def prepare(self):
        for seed, name in enumerate(self.names):
            write_file(self.site.served / name, self.sizes.parallel, seed=10 + seed)
        self.digest = digest(*(self.site.served / name for name in self.names))

    def run(self, place):
        readers = [subprocess.Popen(["cat", place / name], stdout=subprocess.DEVNULL) for name in self.names]
        demand([reader.wait() for reader in readers] == [0] * 4, "cat fails")

    def check(self, place, result):
        demand(digest(*(place / name for name in self.names)) == self.digest)

    def curl(self, url):
        targets = [word for name in self.names for word in ("-o", "/dev/null", url + name)]
        return ["--parallel", "--parallel-immediate", *targets]


class RandomRead(Work):
    def __init__(self, site):
        super().__init__(site)
        self.title = f"{self.sizes.random_reads} random 4 KiB reads, {amount_text(self.sizes.random)}"
        self.amount = ("each", self.sizes.random_reads)
        dice = random.Random(4096)
        self.offsets = [dice.randrange(self.sizes.random // PAGE) * PAGE for _ in range(self.sizes.random_reads)]

    def prepare(self):
        write_file(self.site.served / "random", self.sizes.random, seed=2)

    def run(self, place):
        return self._pages(place / "random")

    def _pages(self, path):
        file = os.open(path, os.O_RDONLY)
        try:
            return [os.pread(file, PAGE, offset) for offset in self.offsets]
        finally:
            os.close(file)

    def check(self, place, result):
        demand(result == self._pages(self.site.served / "random"))


class Head(Work):
    def __init__(self, site):
        super().__init__(site)
        self.title = f"head -c 4096 of {amount_text(self.sizes.head)}"

    def prepare(self):
        path = write_file(self.site.served / "head", 16 * BLOCK, seed=3)
        # The rest is a hole: nobody has a reason to read it.
        os.truncate(path, self.sizes.head)

    def run(self, place):
        return program("head", "-c", "4096", place / "head")

    def check(self, place, result):
        with open(self.site.served / "head", "rb") as file:
            demand(result == file.read(4096))

    def curl(self, url):
        return ["-o", "/dev/null", "--range", "0-4095", f"{url}head"]


class Walk(Work):
    IN_EACH = 20
    """Files in a directory of the tree."""

    def __init__(self, site):
        super().__init__(site)
        self.directories = names("directory", self.sizes.files // self.IN_EACH)
        self.title = f"walk {len(self.directories) + 1} directories, {self.sizes.files:,} files"

    def prepare(self):
        for directory in self.directories:
            folder = self.site.served / "tree" / directory
            folder.mkdir(parents=True, exist_ok=True)
            for seed, name in enumerate(names("file", self.IN_EACH)):
                (folder / name).write_bytes(small(seed))
        self.expected = sorted(os.path.join("tree", name).encode() for name in tree_of(self.site.served / "tree"))

    def run(self, place):
        return program("find", place / "tree", "-mindepth", "1", "-printf", "tree/%P\\n")

    def check(self, place, result):
        demand(sorted(result.splitlines()) == self.expected, "wrong list")
        demand(tree_of(place / "tree") == tree_of(self.site.served / "tree"), "wrong sizes")

    def curl(self, url):
        places = ["tree/", *(f"tree/{directory}/" for directory in self.directories)]
        return [word for place in places for word in ("-o", "/dev/null", url + place)]


class WalkAgain(Walk):
    def __init__(self, site):
        super().__init__(site)
        self.title = "the same walk again"

    def warm(self, place):
        self.run(place)

    def curl(self, url):
        return None


class LongList(Work):
    folder = "many"

    def __init__(self, site):
        super().__init__(site)
        self.names = names("entry", self.count)
        self.title = f"ls -l of {self.count:,} entries"

    @property
    def count(self):
        return self.sizes.entries

    def prepare(self):
        folder = self.site.served / self.folder
        folder.mkdir(exist_ok=True)
        for size, name in enumerate(self.names):
            with open(folder / name, "wb") as file:
                file.truncate(size)

    def run(self, place):
        return program("ls", "-l", place / self.folder)

    def check(self, place, result):
        entries = [line.split() for line in result.decode().splitlines()[1:]]
        listed = {fields[-1]: int(fields[4]) for fields in entries}
        demand(listed == {name: size for size, name in enumerate(self.names)}, "wrong list")

    def curl(self, url):
        return ["-o", "/dev/null", f"{url}{self.folder}/"]


class LongerList(LongList):
    """Ten times as many. The others need minutes for a tenth of it over a link."""

    folder = "more"
    tools = (OURS, LIMIT)

    @property
    def count(self):
        return self.sizes.many_entries


class SmallReads(Work):
    has_floor = True

    def __init__(self, site):
        super().__init__(site)
        self.names = names("small", self.sizes.small_reads)
        self.title = f"cat of {len(self.names)} small files"
        self.amount = ("each", len(self.names))

    def prepare(self):
        folder = self.site.served / "small"
        folder.mkdir(exist_ok=True)
        for seed, name in enumerate(self.names):
            (folder / name).write_bytes(small(seed))

    def run(self, place):
        return program("cat", *(place / "small" / name for name in self.names))

    def check(self, place, result):
        demand(result == b"".join(small(seed) for seed in range(len(self.names))))

    def curl(self, url):
        return [word for name in self.names for word in ("-o", "/dev/null", f"{url}small/{name}")]


class FirstList(Work):
    title = "mount to first ls"
    starts_before_mount = True
    login_counts = True

    def run(self, place):
        return program("ls", place)

    def check(self, place, result):
        demand(sorted(result.decode().split()) == sorted(os.listdir(self.site.served)), "wrong list")

    def curl(self, url):
        return ["-o", "/dev/null", url]


READING = [
    FirstList,
    SequentialRead,
    SecondRead,
    SecureRead,
    ParallelRead,
    RandomRead,
    Head,
    Walk,
    WalkAgain,
    LongList,
    LongerList,
    SmallReads,
]
