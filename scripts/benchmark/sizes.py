"""How much work each work is, in two tables of one shape: a line for each amount, a column for each place.

Over a link there is less of it, so that a slow program too is done within its time. The third column is for trying the
benchmark itself: its figures say nothing.
"""

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
    files: int
    """The tree that is walked: files in all its directories together, 20 in each."""
    entries: int
    """The long directory."""
    many_entries: int
    """The one that is longer than a directory should be."""
    small_reads: int
    copied: int
    """The file that is copied in."""
    small_writes: int
    many_writes: int
    """Small files that are written with and without `writeback`."""
    unpacked: int
    """Files in the archive that is unpacked."""
    changed: int
    """The file that a line is appended to, and in whose middle 4 bytes are changed."""
    renamed: int
    removed: int


AMOUNTS = {
    # of              loopback     link         a try
    "bulk":          (GIB,         64 * MIB,    4 * MIB),
    "parallel":      (128 * MIB,   8 * MIB,     1 * MIB),
    "random":        (100 * MIB,   100 * MIB,   4 * MIB),
    "random_reads":  (200,         40,          5),
    "head":          (GIB,         GIB,         64 * MIB),
    "files":         (1_000,       1_000,       60),
    "entries":       (10_000,      10_000,      200),
    "many_entries":  (100_000,     100_000,     500),
    "small_reads":   (300,         60,          10),
    "copied":        (512 * MIB,   32 * MIB,    2 * MIB),
    "small_writes":  (150,         30,          5),
    "many_writes":   (500,         100,         10),
    "unpacked":      (300,         60,          10),
    "changed":       (100 * MIB,   32 * MIB,    2 * MIB),
    "renamed":       (50,          50,          5),
    "removed":       (50,          50,          5),
}  # fmt: skip
"""What the works are done with."""

GROWING = {
    # of              loopback                              link                               a try
    "entries":       ((1_000, 10_000, 100_000),            (1_000, 10_000, 100_000),          (50, 100, 200)),
    "files":         ((1_000, 4_000, 16_000),              (200, 1_000, 5_000),               (20, 40, 80)),
    "small_reads":   ((300, 1_000, 3_000),                 (30, 60, 120),                     (4, 8, 16)),
    "small_writes":  ((150, 500, 1_500),                   (15, 30, 60),                      (4, 8, 16)),
    "bulk":          ((256 * MIB, 512 * MIB, GIB),         (32 * MIB, 64 * MIB, 128 * MIB),   (MIB, 2 * MIB, 4 * MIB)),
    "copied":        ((128 * MIB, 256 * MIB, 512 * MIB),   (16 * MIB, 32 * MIB, 64 * MIB),    (MIB, 2 * MIB, 4 * MIB)),
}  # fmt: skip
"""What `--growth` does them with, one after another."""

LOOPBACK, LINK, QUICK = (Sizes(**{field: columns[place] for field, columns in AMOUNTS.items()}) for place in range(3))


def growing(field, sizes):
    """The three amounts of a field that grows, in the place of these sizes."""
    return GROWING[field][(LOOPBACK, LINK, QUICK).index(sizes)]


def amount_text(size):
    """`64 MiB`, `4 KiB`."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} B"
