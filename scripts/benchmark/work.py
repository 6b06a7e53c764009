"""What a work is. The works themselves: `reading.py`, `writing.py`, `whole.py`."""

from dataclasses import dataclass
from pathlib import Path

from .sizes import MIB, Sizes

LITTLE = 128 * MIB
"""Memory for programs, and for a folder of small files."""


@dataclass
class Site:
    """Where the work is done."""

    served: Path
    """The server's files, as they are on its disk."""
    secure: Path
    """The same for the server with TLS."""
    local: Path
    """This side's files: what is copied in."""
    owner: tuple
    """The user and group that the servers' sessions run as."""
    sizes: Sizes


class Work:
    """One thing that people do with a mount. Only `run` is timed."""

    title = ""
    amount = None
    """What the time is divided by: ("bytes", n) or ("each", n)."""
    tools = ()
    """Those that do it; empty: all."""
    has_floor = False
    """FUSE itself is what may bound it, so that it is worth to know what a bare FUSE file system takes."""
    is_secure = False
    """Over TLS, with a server that demands it."""
    option = ""
    """A mount option of ftpfs that it is about. It is left out where ftpfs does not know that yet."""
    starts_before_mount = False
    """The time begins when the mount is started, not when it is there."""
    ends_behind_program = False
    """The time ends with the program, and what it wrote must be on the server's disk when the mount is gone; else the
    time ends when it is there."""
    login_counts = False
    """curl's time begins when it is started; else it has logged in before, as a mount has."""

    def __init__(self, site):
        self.site, self.sizes = site, site.sizes

    @property
    def memory(self):
        """How many bytes of memory a run fills, which must be there before it: see `isolation.touch_memory`.

        What it moves is once in the kernel's cache of the mount, and once on the server's disk or in a daemon's file.
        """
        kind, count = self.amount or ("each", 0)
        return LITTLE + (2 * count if kind == "bytes" else 0)

    def prepare(self):
        """Makes the files, once."""

    def reset(self):
        """Brings the server's disk back to where the work starts, before every run."""

    def warm(self, place):
        """What has been done in the same mount before."""

    def run(self, place):
        """Does it in the mount at `place`; what it returns goes to `check`."""
        raise NotImplementedError

    def check(self, place, result):
        """Raises `Failed` if it was not done right, or says what is wrong."""

    def asks_daemon(self, mount):
        """Whether doing it again asks the mount's daemon for something; None where that is not the question."""
        return None

    def arrived(self):
        """Whether what was written is on the server's disk, whole."""
        return True

    def curl(self, url):
        """curl's arguments for the same work without a mount; None: curl has no such thing."""
        return None
