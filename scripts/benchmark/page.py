"""One command for everything: measures it all, and writes the page of the documentation and the README's part.

The end of the page, from the heading `BY_HAND` on, is for what a person has found out about the figures, and is kept.

The figures of each part are kept as JSON in .build/benchmark/page, so that the page can be written again without
measuring again. What stands on the page is measured, by the commit that it names.
"""

import json
import subprocess
import sys
from argparse import Namespace

from . import chart, markdown
from .places import BENCH, BUILD, REPOSITORY
from .results import row_of

FIGURES = BUILD / "page"

PARTS = {
    # Part: what of the command line makes it.
    "loopback": [],
    "link": ["--rtt", "20"],
    "growth": ["--growth"],
    "growth-link": ["--growth", "--rtt", "20"],
    "micro": ["--micro"],
}

CATALOG = REPOSITORY / "Sources" / "ftpfs" / "ftpfs.docc"
PAGE = CATALOG / "Performance.md"
BY_HAND = "## What bounds it"
CHARTS = {"loopback": CATALOG / "performance-loopback.svg", "link": CATALOG / "performance-link.svg"}
README = REPOSITORY / "README.md"
BEGIN, END = "<!-- scripts/bench writes this: begin -->", "<!-- end -->"


def measure_and_write(options: Namespace) -> int:
    """Measures all parts, one after another, and writes the page. Returns the exit status."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    handed_on = ["--runs", str(options.runs), "--limit", str(options.limit)]
    for part, words in PARTS.items():
        print(f"\n== {part}\n", flush=True)
        new = FIGURES / f"{part}.new"
        # Whoever ends this ends that too.
        done = subprocess.run(["setpriv", "--pdeathsig", "TERM", BENCH, *words, *handed_on, "--json", new])
        if done.returncode != 0:
            return done.returncode
        new.rename(FIGURES / f"{part}.json")
    write()
    return 0


def write() -> None:
    """The page, its charts and the README's part, from the figures that are there."""
    records = {part: json.loads(path.read_text()) for part in PARTS if (path := FIGURES / f"{part}.json").exists()}
    if "loopback" not in records or "link" not in records:
        sys.exit(f"bench: there are no figures in {FIGURES}: --page measures them")
    for part, path in CHARTS.items():
        headline = f"ftpfs and other mounts: {records[part]['title']}"
        path.write_text(chart.svg(headline, [row_of(work) for work in records[part]["works"]]))
    _, heading, findings = (PAGE.read_text() if PAGE.exists() else "").partition(BY_HAND)
    PAGE.write_text(markdown.page(records) + (f"\n{heading}{findings}" if heading else ""))
    text = README.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"bench: {README} has no place for the figures, between the lines\n{BEGIN}\n{END}")
    README.write_text(f"{before}{BEGIN}\n{markdown.excerpt(records)}\n{END}{after}")
    for path in (PAGE, *CHARTS.values(), README):
        print(f"written: {path.relative_to(REPOSITORY)}")
