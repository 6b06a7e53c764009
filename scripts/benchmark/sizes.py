"""How much work each work is. Over a link less of it, so that a slow program too is done within its time."""

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Sizes:
    """Bytes, and how many there are."""

    bulk: int
    """The file that is read from one end to the other."""
    parallel: int
    """Each of the four files that are read at once."""
    random: int
    """The file that is read at random places."""
    random_reads: int
    head: int
    """The file whose first 4 KiB are read."""
    directories: int
    files: int
    """The tree that is walked: files in all its directories together."""
    entries: int
    """The long directory."""
    small_reads: int
    copied: int
    """The file that is copied in."""
    small_writes: int
    unpacked: int
    """Files in the archive that is unpacked."""
    changed: int
    """The file that a line is appended to, and in whose middle 4 bytes are changed."""
    renamed: int
    removed: int


LOOPBACK = Sizes(
    bulk=GIB,
    parallel=128 * MIB,
    random=100 * MIB,
    random_reads=200,
    head=GIB,
    directories=50,
    files=1000,
    entries=10_000,
    small_reads=300,
    copied=512 * MIB,
    small_writes=150,
    unpacked=300,
    changed=100 * MIB,
    renamed=50,
    removed=50,
)

LINK = Sizes(
    bulk=64 * MIB,
    parallel=8 * MIB,
    random=100 * MIB,
    random_reads=40,
    head=GIB,
    directories=50,
    files=1000,
    entries=10_000,
    small_reads=60,
    copied=32 * MIB,
    small_writes=30,
    unpacked=60,
    changed=32 * MIB,
    renamed=50,
    removed=50,
)

QUICK = Sizes(
    bulk=16 * MIB,
    parallel=4 * MIB,
    random=8 * MIB,
    random_reads=10,
    head=GIB,
    directories=10,
    files=100,
    entries=500,
    small_reads=20,
    copied=8 * MIB,
    small_writes=10,
    unpacked=20,
    changed=8 * MIB,
    renamed=10,
    removed=10,
)
"""For trying the benchmark itself; its figures say nothing."""


def amount_text(size):
    """`64 MiB`, `4 KiB`."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} B"
