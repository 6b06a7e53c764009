"""The parsers and caches alone: builds and runs Tests/Benchmarks with the library that measures them."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from .places import BUILD, REPOSITORY
from .texts import nanoseconds_text


@dataclass(frozen=True)
class Result:
    """Medians, for one of the units that a benchmark does at once."""

    title: str
    nanoseconds: float
    allocations: float
    """Calls of malloc and its like."""
    rate: float | None
    """Bytes a second, where it reads bytes."""


def run() -> list[Result]:
    """The results of all benchmarks. The library writes JSON for JMH's viewers."""
    package = ["--package-path", REPOSITORY / "Tests" / "Benchmarks", "--scratch-path", BUILD / "micro"]
    print("bench: building and running Tests/Benchmarks", file=sys.stderr, flush=True)
    done = subprocess.run(
        ["swift", "package", *package, "benchmark", "--format", "jmh", "--path", "stdout", "--no-progress", "--quiet"],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        sys.exit(f"bench: the micro-benchmarks do not run:\n{(done.stdout + done.stderr).strip()[-3000:]}")
    return results(json.loads(done.stdout[done.stdout.index("[") :]))


TIME, ALLOCATIONS, MEDIAN = "Time (wall clock)", "Allocations", "50.0"
"""What the library calls them."""


def results(elements: list[dict]) -> list[Result]:
    """From the library's JSON. A benchmark's name holds how many units and bytes a run has (Measuring.swift)."""
    found = []
    for element in elements:
        title, units, bytes = element["benchmark"].split(".", 3)[3].replace("_", " ").rsplit("|", 2)
        medians = {name: metric["scorePercentiles"][MEDIAN] for name, metric in element["secondaryMetrics"].items()}
        microseconds, units, bytes = medians[TIME], int(units), int(bytes)
        rate = bytes / microseconds * 1e6 if bytes else None
        found.append(Result(title, microseconds * 1000 / units, medians[ALLOCATIONS] / units, rate))
    return sorted(found, key=lambda result: result.title)


def texts(result: Result) -> list[str]:
    """Its time, its allocations and its rate."""
    rate = f"{result.rate / 1e6:.0f} MB/s" if result.rate else "–"
    return [nanoseconds_text(result.nanoseconds), f"{result.allocations:.2f}", rate]


def table(results: list[Result]) -> str:
    lines = [f"{'':<44}{'each':>10}{'allocations':>13}{'rate':>11}"]
    for result in results:
        time, allocations, rate = texts(result)
        lines.append(f"{result.title:<44}{time:>10}{allocations:>13}{rate:>11}")
    return "\n".join(lines)


def record(results: list[Result], version: str) -> dict:
    return {"version": version, "micro": [asdict(result) for result in results]}


def results_of(record: dict) -> list[Result]:
    return [Result(**one) for one in record["micro"]]
