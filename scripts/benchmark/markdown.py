"""The page `Performance.md`, and the table in the README, from the recorded figures."""

from . import growth, micro
from .results import points_of, row_of
from .summary import LIMIT, OURS
from .table import commands_text, time_text
from .texts import bytes_text, rate_text, ratio_text, round_trips_text, verdict_text

PLACES = {"loopback": "On one machine", "link": "Over a link"}
"""Part → the heading of its section."""

INTRODUCTION = """\
# Performance

What ftpfs takes for the work that people do with a mount, beside other mounts of the same server and `curl` without one.

## Overview

This page is written by `scripts/bench --page`, from what it has measured; nothing in it is written by hand. Each work is
done by each program in turn, in a fresh mount with empty caches, and what was read or written is compared byte for byte.
Times are medians. For writing, the time ends when all is on the server's disk. Round trips are the time divided by the
link's round-trip time. The wire's bytes are IP packets in both directions. A failure is one of the program: what is not
possible with it (an errno), or takes longer than the benchmark waits.
"""

GROWTH = """\
The same work with more and more of the same, by ftpfs alone. A cost that grows linearly is the same for each of them,
however many there are: what the last takes, divided by what the first takes, is 1 or, as the start costs too, less.
"""

MICRO = """\
Parsers and caches without server and mount (`scripts/bench --micro`): medians for one unit, and how often it asks for
memory. The internal parts of the file system are reached with `-enable-testing`, in an otherwise optimised build.
"""


def table(header, rows, texts=1):
    """A table whose first columns are text and whose others are figures."""
    lines = [header, ["---"] * texts + ["---:"] * (len(header) - texts), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(records):
    parts = [INTRODUCTION, machine_text(records)]
    for part, heading in PLACES.items():
        parts.append(f"## {heading}\n\n{comparison(records[part], part)}")
    for part in ("growth", "growth-link"):
        if part in records:
            parts.append(growth_text(records[part], is_first=part == "growth"))
    if "micro" in records:
        parts.append(micro_text(records["micro"]))
    return "\n".join(parts)


def machine_text(records):
    """What was measured, where and when; said of each part when they differ."""
    machine = records["loopback"]["machine"]
    commits = ", ".join(dict.fromkeys(record["version"] for record in records.values()))
    tools = ", ".join(dict.fromkeys(records["loopback"]["tools"].values()))
    loads = ", ".join(f"{record['machine']['load']:.1f}" for record in records.values() if "machine" in record)
    return (
        f"Measured on {records['loopback']['time'][:10]} with commit {commits} of ftpfs, on {machine['cores']} cores of "
        f"{machine['processor']}, {bytes_text(machine['memory'])} of memory, {machine['system']}, Linux {machine['kernel']}.\n"
        f"The load of the machine before each part was {loads}: what others did took its share. Programs: {tools}.\n"
    )


def comparison(record, part):
    """The times of all programs, what ftpfs and the wire did for them, and the targets."""
    rows = [row_of(work) for work in record["works"]]
    rtt = record["link"]["rtt"]
    names = list(record["tools"])
    times = [
        [row.title, *(time_text(row, name) for name in names), ratio_text(row.by_others), ratio_text(row.by_limit)]
        for row in rows
    ]
    header = ["", *names, "faster than the best other", f"of {LIMIT}'s speed"]
    return "\n\n".join(
        [
            f"With {record['title']}.",
            f"![Times of ftpfs, rclone and curl](performance-{part}.svg)",
            table(header, times),
            f"### What it costs: {PLACES[part].lower()}",
            costs(rows, rtt),
            f"### The targets of the project: {PLACES[part].lower()}",
            targets(rows),
            "",
        ]
    )


def costs(rows, rtt):
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


def targets(rows):
    lines = [
        [row.title, verdict["wanted"], verdict["reason"], verdict["measured"], verdict_text(verdict["is_met"]).lower()]
        for row in rows
        for verdict in row.verdicts
    ]
    return table(["", "wanted", "because", "measured", ""], lines, texts=3)


def growth_text(record, is_first):
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


def micro_text(record):
    lines = [[result.title, *micro.texts(result)] for result in micro.results_of(record)]
    return f"## The parts alone\n\n{MICRO}\n{table(['', 'each', 'allocations', 'rate'], lines)}\n"


SHOWN = (
    "mount to first ls",
    "sequential read",
    "4 files",
    "random",
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


def excerpt(records):
    """The README's part: ftpfs, and the best of the others, in both places."""
    version = records["loopback"]["version"]
    machine = records["loopback"]["machine"]
    parts = [
        f"Medians with commit {version} on {machine['cores']} cores of {machine['processor']}; the server is "
        f"{records['loopback']['title'].partition(',')[0]}, beside the mounts. All figures, also of memory, CPU time and\n"
        "bytes on the wire, are in [Performance](Sources/ftpfs/ftpfs.docc/Performance.md).",
    ]
    for part, heading in PLACES.items():
        record = records[part]
        rows = [row for row in map(row_of, record["works"]) if row.title.startswith(SHOWN)]
        lines = [
            [row.title, time_text(row, OURS), best_text(row), ratio_text(row.by_others), time_text(row, LIMIT)]
            for row in rows
        ]
        place = record["title"].split(", ", 1)[1].rpartition(",")[0]
        parts.append(f"{heading} ({place}):")
        parts.append(table(["", OURS, "the best other mount", "faster by", "curl, no mount"], lines))
    parts.append("![Times over a link](Sources/ftpfs/ftpfs.docc/performance-link.svg)")
    return "\n\n".join(parts)


def best_text(row):
    """The other mount with the shortest time, and that."""
    if not row.others:
        return "none can" if len(row.cells) > 2 else "–"
    name = min(row.others, key=row.others.get)
    return f"{time_text(row, name)} ({name})"
