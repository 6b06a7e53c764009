"""Every run's figures, for programs: written by `--json`, read again for the page."""

import os
import platform
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from .growth import Point, growth
from .measure import Outcome
from .summary import Cell, Row


def machine():
    """What was measured on, and how busy it was before the first run."""
    processor = next(
        (line.partition(":")[2].strip() for line in read("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next(int(line.split()[1]) * 1024 for line in read("/proc/meminfo") if line.startswith("MemTotal:"))
    system = next(
        (line.partition("=")[2].strip('"') for line in read("/etc/os-release") if line.startswith("PRETTY_NAME=")), ""
    )
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory": memory,
        "system": system,
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
    }


def read(path):
    return Path(path).read_text(errors="replace").splitlines()


def heading(title, version, machine, network, tools):
    """What every file begins with. `version`: the commit of ftpfs."""
    return {
        "title": title,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "version": version,
        "machine": machine,
        "link": {"rtt": network.rtt, "bits_per_second": network.rate},
        "tools": {tool.name: tool.version for tool in tools},
    }


def work_record(row):
    """Times in seconds, memory and traffic in bytes; a tool that failed has only `failure`."""
    return {
        "title": row.title,
        "amount": dict([row.amount]) if row.amount else None,
        "best_other_by_ftpfs": row.by_others,
        "curl_by_ftpfs": row.by_limit,
        "targets": row.verdicts,
        "tools": {name: tool_record(cell) for name, cell in row.cells.items()},
    }


def tool_record(cell):
    if cell.failure:
        return {"failure": cell.failure}
    least, most = cell.range("seconds")
    runs = [{name: value for name, value in vars(one).items() if name != "failure"} for one in cell.outcomes]
    return {"median": cell.median("seconds"), "min": least, "max": most, "runs": runs}


def row_of(record):
    """The row that was recorded."""
    cells = {
        name: Cell(
            [Outcome(failure=tool["failure"])] if "failure" in tool else [outcome_of(run) for run in tool["runs"]]
        )
        for name, tool in record["tools"].items()
    }
    amount = next(iter(record["amount"].items())) if record["amount"] else None
    return Row(record["title"], amount, cells, record["targets"])


def outcome_of(run):
    return Outcome(**{**run, "verbs": Counter(run["verbs"])})


def series_record(series, points):
    return {
        "title": series.title,
        "each": series.each,
        "each_by_size": growth(points),
        "points": [asdict(point) for point in points],
    }


def points_of(record):
    return [Point(**point) for point in record["points"]]
