"""What a work is. The works themselves: `reading.py`, `writing.py`."""

from dataclasses import dataclass
from pathlib import Path

from .sizes import Sizes


@dataclass
class Site:
    """Where the work is done."""

    served: Path
    """The server's files, as they are on its disk."""
    local: Path
    """This side's files: what is copied in."""
    owner: tuple
    """The user and group that the server's sessions run as."""
    sizes: Sizes


class Work:
    """One thing that people do with a mount. Only `run` is timed."""

    title = ""
    amount = None
    """What the time is divided by: ("bytes", n) or ("each", n)."""
    starts_before_mount = False
    """The time begins when the mount is started, not when it is there."""

    login_counts = False
    """curl's time begins when it is started; else when its first transfer is prepared: a mount has logged in too."""

    def __init__(self, site):
        self.site, self.sizes = site, site.sizes

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

    def arrived(self):
        """Whether what was written is on the server's disk, whole."""
        return True

    def curl(self, url):
        """curl's arguments for the same work without a mount; None: curl has no such thing."""
        return None
