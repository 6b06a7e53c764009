"""How cost grows: three sizes of each of entries, files and bytes, and what one of them costs.

A cost that is linear is the same for each, whatever their number; what a small number pays more is the start. The last
line of a block says how many times as long each takes where there are most of them as where there are fewest.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .content import make_older
from .reading import LongList, SequentialRead, SmallReads, Walk
from .sizes import MIB, amount_text, growing
from .summary import Cell
from .texts import bytes_text, seconds_text
from .work import Site, Work
from .writing import Copy, SmallWrites


@dataclass(frozen=True)
class Series:
    """One thing of which there are more and more. `unit` in bytes: each is so many of them."""

    title: str
    kind: type[Work]
    field: str
    each: str
    unit: int = 1


SERIES = [
    Series("entries of one directory (ls -l)", LongList, "entries", "entry"),
    Series("files in a tree, 20 in a directory (find)", Walk, "files", "file"),
    Series("small files, read one after another", SmallReads, "small_reads", "file"),
    Series("small files, written one after another", SmallWrites, "small_writes", "file"),
    Series("bytes of one file, read", SequentialRead, "bulk", "MiB", MIB),
    Series("bytes of one file, written", Copy, "copied", "MiB", MIB),
]


@dataclass
class Point:
    """What one size took: medians."""

    size: str
    count: float
    failure: str
    seconds: float = 0
    cpu: float = 0
    peak: float = 0
    bytes: float = 0
    commands: float = 0


FIGURES = ("seconds", "cpu", "peak", "bytes", "commands")


def clear(*folders: Path) -> None:
    """The next size begins with an empty server."""
    for folder in folders:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def points(series: Series, site: Site, take: Callable[[Work], Cell]) -> Iterator[Point]:
    """The points of a series, smallest first. `take` measures a work and returns ftpfs's Cell."""
    for amount in growing(series.field, site.sizes):
        clear(site.served, site.local)
        work = series.kind(replace(site, sizes=replace(site.sizes, **{series.field: amount})))
        work.prepare()
        make_older(site.served)
        cell = take(work)
        size = f"{amount:,}" if series.unit == 1 else amount_text(amount)
        point = Point(size, amount / series.unit, cell.failure)
        if not cell.failure:
            for name in FIGURES:
                setattr(point, name, cell.median(name))
        yield point


def header() -> str:
    return f"{'':>12}{'time':>10}{'each':>10}{'CPU each':>11}{'wire each':>11}{'commands':>10}{'memory':>10}"


def line(point: Point) -> str:
    """One size."""
    if point.failure:
        return f"{point.size:>12}  fails: {point.failure}"
    return f"{point.size:>12}" + "".join(
        f"{text:>{width}}" for text, width in zip(texts(point), (10, 10, 11, 11, 10, 10))
    )


def texts(point: Point) -> list[str]:
    """Its time, what each costs in time, CPU time and bytes; all commands, and the most memory."""
    each_cpu = seconds_text(point.cpu / point.count) if point.cpu else "–"
    return [
        seconds_text(point.seconds),
        seconds_text(point.seconds / point.count),
        each_cpu,
        bytes_text(point.bytes / point.count),
        f"{point.commands:.0f}",
        bytes_text(point.peak),
    ]


def growth(points: list[Point]) -> float | None:
    """How many times as long each takes where there are most as where there are fewest; None when one has failed."""
    least, most = points[0], points[-1]
    if least.failure or most.failure:
        return None
    return (most.seconds / most.count) / (least.seconds / least.count)


def growth_text(series: Series, points: list[Point]) -> str:
    """The last line of a block."""
    factor = growth(points)
    if factor is None:
        return ""
    times = points[-1].count / points[0].count
    return f"{'':>12}  {times:g} times as many: each {series.each} takes {factor:.2f} times as long"
