"""The works that write. Each does it in the directory `writing`, which is made anew for every run."""

import os
import shutil
import tarfile

from .child import program
from .content import digest, make_older, names, small, tree_of, write_file
from .sizes import amount_text
from .summary import OURS
from .work import Work


class Writing(Work):
    """A work with something on the server's disk to look at afterwards."""

    def reset(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.fill()
        make_older(self.folder)
        for parent, _, files in os.walk(self.folder):
            for name in (".", *files):
                os.chown(os.path.join(parent, name), *self.site.owner)

    def fill(self):
        """Puts into the directory what has to be there."""

    @property
    def folder(self):
        return self.site.served / "writing"

    def local(self, name):
        return self.site.local / name


def same(path, expected, size):
    """Whether a file has this size and checksum."""
    return path.exists() and path.stat().st_size == size and digest(path) == expected


class Copy(Writing):
    has_floor = True

    def __init__(self, site):
        super().__init__(site)
        self.title = f"cp of {amount_text(self.sizes.copied)} into the mount"
        self.amount = ("bytes", self.sizes.copied)

    def prepare(self):
        self.digest = digest(write_file(self.local("copied"), self.sizes.copied, seed=20))

    def run(self, place):
        program("cp", self.local("copied"), place / "writing" / "copied")

    def arrived(self):
        return same(self.folder / "copied", self.digest, self.sizes.copied)

    def curl(self, url):
        return ["--upload-file", self.local("copied"), f"{url}writing/copied"]


class SmallWrites(Writing):
    def __init__(self, site):
        super().__init__(site)
        self.names = names("small", self.count)
        self.title = f"write {len(self.names)} small files"
        self.amount = ("each", len(self.names))

    @property
    def count(self):
        return self.sizes.small_writes

    def prepare(self):
        for seed, name in enumerate(self.names):
            self.local(name).write_bytes(small(seed))

    def run(self, place):
        for seed, name in enumerate(self.names):
            (place / "writing" / name).write_bytes(small(seed))

    def arrived(self):
        written = sorted(os.listdir(self.folder)) == self.names
        return written and all((self.folder / name).read_bytes() == small(seed) for seed, name in enumerate(self.names))

    def curl(self, url):
        # Some versions (7.88) wait for a second after an upload now and then; it shows in the time of many small ones.
        return ["--upload-file", "{" + ",".join(str(self.local(name)) for name in self.names) + "}", f"{url}writing/"]


class ManyWrites(SmallWrites):
    """What `writeback` is compared with. Only ftpfs does it: the others have the line above."""

    tools = (OURS,)

    @property
    def count(self):
        return self.sizes.many_writes


class WritesBehind(ManyWrites):
    """With `writeback`, close() does not wait for the server; the unmount does."""

    option = "writeback"
    ends_behind_program = True

    def __init__(self, site):
        super().__init__(site)
        self.title = f"the same {self.count} with writeback"


class Unpack(Writing):
    def __init__(self, site):
        super().__init__(site)
        self.title = f"tar x of {self.sizes.unpacked} files"
        self.amount = ("each", self.sizes.unpacked)

    def prepare(self):
        """An archive of ten directories."""
        tree = self.local("unpacked")
        for seed, name in enumerate(names("file", self.sizes.unpacked)):
            folder = tree / f"directory-{seed % 10}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(small(seed))
        with tarfile.open(self.local("unpacked.tar"), "w") as archive:
            archive.add(tree, ".")

    def run(self, place):
        # As an ordinary user does it: root would change owners, which FTP cannot.
        options = ["--no-same-owner", "--no-same-permissions"]
        program("tar", "--extract", *options, "--file", self.local("unpacked.tar"), "--directory", place / "writing")

    def arrived(self):
        there, wanted = tree_of(self.folder), tree_of(self.local("unpacked"))
        if there != wanted:
            return False
        files = sorted(name for name, size in wanted.items() if size is not None)
        return digest(*(self.folder / name for name in files)) == digest(
            *(self.local("unpacked") / name for name in files)
        )


class Change(Writing):
    """A large file that is changed a little. `changed` is what it shall be afterwards."""

    def prepare(self):
        write_file(self.local("original"), self.sizes.changed, seed=21)
        self.changed = self.local(f"changed-{type(self).__name__}")
        shutil.copyfile(self.local("original"), self.changed)
        self.change(self.changed)
        self.digest, self.size = digest(self.changed), self.changed.stat().st_size

    def fill(self):
        shutil.copyfile(self.local("original"), self.folder / "file")

    def change(self, path):
        raise NotImplementedError

    def run(self, place):
        self.change(place / "writing" / "file")

    def arrived(self):
        return same(self.folder / "file", self.digest, self.size)


class Append(Change):
    LINE = b"one line more, as a program adds it to its log\n"

    def __init__(self, site):
        super().__init__(site)
        self.title = f"append a line to {amount_text(self.sizes.changed)}"

    def prepare(self):
        super().prepare()
        self.local("line").write_bytes(self.LINE)

    def change(self, path):
        with open(path, "ab", buffering=0) as file:
            file.write(self.LINE)

    def curl(self, url):
        return ["--append", "--upload-file", self.local("line"), f"{url}writing/file"]


class Patch(Change):
    def __init__(self, site):
        super().__init__(site)
        self.title = f"change 4 bytes inside {amount_text(self.sizes.changed)}"

    def change(self, path):
        file = os.open(path, os.O_RDWR)
        try:
            os.pwrite(file, b"FTPS", self.sizes.changed // 2 + 17)
        finally:
            os.close(file)


class Commands(Writing):
    """A work without transfers. curl does it before it would transfer something."""

    @staticmethod
    def quotes(commands, url):
        """curl's arguments for sending these commands."""
        return [word for command in commands for word in ("--quote", command)] + ["--head", url]


class Rename(Commands):
    def __init__(self, site):
        super().__init__(site)
        self.title = f"rename {self.sizes.renamed} files"
        self.amount = ("each", self.sizes.renamed)
        self.pairs = list(zip(names("old", self.sizes.renamed), names("new", self.sizes.renamed)))

    def fill(self):
        for seed, (old, _) in enumerate(self.pairs):
            (self.folder / old).write_bytes(small(seed))

    def run(self, place):
        for old, new in self.pairs:
            os.rename(place / "writing" / old, place / "writing" / new)

    def arrived(self):
        return sorted(os.listdir(self.folder)) == [new for _, new in self.pairs]

    def curl(self, url):
        commands = [f"{verb} writing/{name}" for pair in self.pairs for verb, name in zip(("RNFR", "RNTO"), pair)]
        return self.quotes(commands, url)


class Remove(Commands):
    def __init__(self, site):
        super().__init__(site)
        self.title = f"rm -rf of {self.sizes.removed} files"
        self.amount = ("each", self.sizes.removed)
        self.names = names("file", self.sizes.removed)

    def fill(self):
        folder = self.folder / "removed"
        folder.mkdir()
        for seed, name in enumerate(self.names):
            (folder / name).write_bytes(small(seed))

    def run(self, place):
        program("rm", "-rf", place / "writing" / "removed")

    def arrived(self):
        return not os.listdir(self.folder)

    def curl(self, url):
        commands = [f"DELE writing/removed/{name}" for name in self.names] + ["RMD writing/removed"]
        return self.quotes(commands, url)


WRITING = [Copy, SmallWrites, ManyWrites, WritesBehind, Unpack, Append, Patch, Rename, Remove]
