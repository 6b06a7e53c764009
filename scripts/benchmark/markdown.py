"""The page `Performance.md`, and the table in the README, from the recorded figures."""

from textwrap import fill

from . import growth, micro
from .results import points_of, row_of
from .summary import LIMIT, NO_RIVALS, OURS, Row
from .table import commands_text, ratio_to_ours, time_text
from .texts import bytes_text, rate_text, ratio_text, round_trips_text, verdict_text

PLACES = {"loopback": "On one machine", "link": "Over a link"}
"""Part → the heading of its section."""

INTRODUCTION = """\
# Performance

What ftpfs takes for the work that people do with a mount, beside other mounts of the same server, and `curl` without.

## Overview

The tables on this page are written by `scripts/bench --page`, from what it has measured, and never by hand. Each work
is done by each program in turn, in a fresh mount with empty caches, and what was read or written is compared byte for
byte. Times are medians, and in brackets stands how many times as long as ftpfs a program takes. For writing, the time
ends when all is on the server's disk. Round trips are the time divided by the link's round-trip time. The wire's bytes
are IP packets in both directions. Where a program cannot do a work, there is its error, or how long it was waited for.

`curl` is the limit: the same bytes without a mount, on one connection that has logged in before, as the mounts have. A
mount that works on several connections at once can be faster, and some versions of curl (7.88) now and then wait for a
second after a small upload. rclone is measured with its cache modes off and full, and sends cached files at once
(`--vfs-write-back 0s`); the others run with their defaults.
"""

WIDTH = 120
"""Characters of a line of text."""

GROWTH = """\
The same work with more and more of the same, by ftpfs alone. A cost that grows linearly is the same for each of them,
however many there are: what the last takes, divided by what the first takes, is 1 or, as the start costs too, less.
"""

MICRO = """\
Parsers and caches without server and mount (`scripts/bench --micro`): medians for one unit, and how often it asks for
memory. The internal parts of the file system are reached with `-enable-testing`, in an otherwise optimised build.
"""


def table(header: list[str], rows: list[list[str]], texts: int = 1) -> str:
    """A table whose first columns are text and whose others are figures."""
    lines = [header, ["---"] * texts + ["---:"] * (len(header) - texts), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def paragraph(*sentences: str) -> str:
    return fill(" ".join(sentences), WIDTH) + "\n"


def page(records: dict[str, dict]) -> str:
    parts = [INTRODUCTION, machine_text(records)]
    for part, heading in PLACES.items():
        parts.append(f"## {heading}\n\n{comparison(records[part], part)}")
    for part in ("growth", "growth-link"):
        if part in records:
            parts.append(growth_text(records[part], is_first=part == "growth"))
    if "micro" in records:
        parts.append(micro_text(records["micro"]))
    return "\n".join(parts)


def machine_text(records: dict[str, dict]) -> str:
    """What was measured, where and when; said of each part when they differ."""
    machine = records["loopback"]["machine"]
    commits = ", ".join(dict.fromkeys(record["version"] for record in records.values()))
    tools = ", ".join(dict.fromkeys(records["loopback"]["tools"].values()))
    loads = ", ".join(f"{record['machine']['load']:.1f}" for record in records.values() if "machine" in record)
    return paragraph(
        f"Measured on {records['loopback']['time'][:10]} with commit {commits} of ftpfs,",
        f"on {machine['cores']} cores of {machine['processor']}, {bytes_text(machine['memory'])} of memory,",
        f"{machine['system']}, Linux {machine['kernel']}.",
        f"The load before each part was {loads}: when it is not near 0, others took their share of the machine.",
        f"Programs: {tools}.",
    )


def comparison(record: dict, part: str) -> str:
    """The times of all programs, what ftpfs and the wire did for them, and the targets."""
    rows = [row_of(work) for work in record["works"]]
    rtt = record["link"]["rtt"]
    names = list(record["tools"])
    times = [[row.title, *(time_and_ratio(row, name) for name in names)] for row in rows]
    return "\n\n".join(
        [
            f"With {record['title']}.",
            f"![Times of ftpfs, rclone and curl](performance-{part}.svg)",
            table(["", *names], times),
            f"### What it costs: {PLACES[part].lower()}",
            costs(rows, rtt),
            f"### The targets of the project: {PLACES[part].lower()}",
            targets(rows),
            "",
        ]
    )


def time_and_ratio(row: Row, name: str) -> str:
    """A tool's time, and in brackets how many times as long as ftpfs's that is."""
    ratio = ratio_to_ours(row, name)
    return time_text(row, name) + (f" ({ratio})" if ratio else "")


def costs(rows: list[Row], rtt: float) -> str:
    """What the daemon and the wire did for each work."""
    header = [
        "",
        "per unit",
        *(["round trips"] if rtt else []),
        "on the wire",
        "connections",
        "commands",
        "CPU",
        "memory",
    ]
    lines = []
    for row in rows:
        cell = row.cells.get(OURS)
        if not cell or cell.failure:
            continue
        seconds = cell.median("seconds")
        lines.append(
            [
                row.title,
                rate_text(row.amount, seconds),
                *([round_trips_text(row.round_trips(OURS, rtt))] if rtt else []),
                bytes_text(cell.median("bytes")),
                f"{cell.median('connections'):.0f}",
                commands_text(cell),
                f"{cell.median('cpu'):.2f} s",
                bytes_text(cell.median("peak")),
            ]
        )
    return table(header, lines)


def targets(rows: list[Row]) -> str:
    lines = [
        [row.title, verdict["wanted"], verdict["reason"], verdict["measured"], verdict_text(verdict["is_met"]).lower()]
        for row in rows
        for verdict in row.verdicts
    ]
    return table(["", "wanted", "because", "measured", ""], lines, texts=3)


def growth_text(record: dict, is_first: bool) -> str:
    """`is_first`: the section begins with it."""
    lines = []
    for series in record["growth"]:
        for point in points_of(series):
            figures = [f"fails: {point.failure}", *[""] * 5] if point.failure else growth.texts(point)
            lines.append([series["title"], point.size, *figures])
        if (factor := series["each_by_size"]) is not None:
            lines.append([series["title"], "**the last by the first**", "", f"**{factor:.2f}**", "", "", "", ""])
    header = ["", "how many", "time", "time each", "CPU each", "wire each", "commands", "memory"]
    heading = f"## How the cost grows\n\n{GROWTH}\n" if is_first else ""
    return f"{heading}With {record['title']}:\n\n{table(header, lines)}\n"


def micro_text(record: dict) -> str:
    lines = [[result.title, *micro.texts(result)] for result in micro.results_of(record)]
    return f"## The parts alone\n\n{MICRO}\n{table(['', 'each', 'allocations', 'rate'], lines)}\n"


SHOWN = (
    "mount to first ls",
    "sequential read",
    "4 files",
    "200 random",
    "40 random",
    "walk",
    "ls -l of 10,000",
    "cat of",
    "cp of",
    "write 150 small",
    "write 30 small",
    "tar x",
    "append",
    "change 4 bytes",
    "rename",
)
"""The beginnings of the works' titles that the README shows; the page has all."""


def excerpt(records: dict[str, dict]) -> str:
    """The README's part: ftpfs, and the best of the others, in both places."""
    version = records["loopback"]["version"]
    machine = records["loopback"]["machine"]
    server = records["loopback"]["title"].partition(",")[0]
    loads = " and ".join(f"{records[part]['machine']['load']:.1f}" for part in PLACES)
    parts = [
        paragraph(
            f"Measured with commit {version} on {machine['cores']} cores of {machine['processor']}, which the server",
            f"({server}) shares with what else runs there (load {loads} before).",
            "More works, the memory, the CPU time and the bytes on the wire are",
            "in [Performance](Sources/ftpfs/ftpfs.docc/Performance.md).",
        ).strip(),
    ]
    for part, heading in PLACES.items():
        record = records[part]
        rows = [row for row in map(row_of, record["works"]) if row.title.startswith(SHOWN)]
        lines = [
            [row.title, time_text(row, OURS), best_text(row), ratio_text(row.by_others), time_text(row, LIMIT)]
            for row in rows
        ]
        place = record["title"].split(", ", 1)[1]
        parts.append(f"{heading} ({place}):")
        parts.append(table(["", OURS, "the best other mount", "faster by", "curl, no mount"], lines))
    parts.append("![Times over a link](Sources/ftpfs/ftpfs.docc/performance-link.svg)")
    return "\n\n".join(parts)


def best_text(row: Row) -> str:
    """The other mount with the shortest time, and that; if none has done it, why they have not."""
    if not row.others:
        failures = [f"{name}: {cell.failure}" for name, cell in row.cells.items() if name not in NO_RIVALS]
        return "; ".join(failures) or "–"
    name = min(row.others, key=row.others.get)
    return f"{time_text(row, name)} ({name})"
