"""The command line."""

import argparse
from pathlib import Path

from .network import parse_rate
from .programs import NAMES
from .summary import FLOOR, LIMIT, OURS

INSIDE = "--inside"
"""How the script tells itself that it is in its own namespaces; the scratch folder follows."""


def read_options(description):
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench", description=description, formatter_class=style)

    def option(name, help, **kind):
        parser.add_argument(name, help=help, **kind)

    option("--list", "name the works and end", action="store_true")
    option("--only", "only works whose title matches; may be repeated", action="append", metavar="PATTERN")
    option("--tools", f"only these of: {', '.join(NAMES)}", type=tool_names, default=NAMES, metavar="NAME,…")
    floor = "beside them what FUSE alone takes for the works that move many bytes or files (needs libfuse3-dev)"
    option("--floor", floor, action="store_true")
    option("--runs", "how often each tool does each work (3)", type=int, default=3, metavar="N")
    option("--limit", "seconds that a work may take (60)", type=float, default=60, metavar="S")
    option("--rtt", "run over a link with this round-trip time", type=float, metavar="MS")
    rates = "the link's rate: 1gbit (default), 100mbit, 0 for no limit"
    option("--rate", rates, type=parse_rate, default="1gbit", metavar="RATE")
    option("--server", "vsftpd (default) or another of scripts/test-servers", default="vsftpd", metavar="NAME")
    option("--binary", "the ftpfs to measure (default: what swift build -c release makes)", metavar="PATH")
    option("--options", "mount options for ftpfs: connections=1,dir_ttl=60", default="", metavar="OPTION,…")
    option("--json", "write the figures of every run there", type=Path, metavar="FILE")
    option("--chart", "write an SVG there", type=Path, metavar="FILE")
    option("--quick", "little of each work: tries the benchmark, its figures say nothing", action="store_true")
    caches = "empty the machine's file caches before every run; then programs too load from the disk"
    option("--drop-caches", caches, action="store_true")
    option("--growth", "ftpfs alone, with three sizes of each of entries, files and bytes", action="store_true")
    option("--micro", "the parsers and caches alone, without servers and mounts", action="store_true")
    pages = "measure all of it, and write the page of the documentation, its charts and the README's part"
    option("--page", pages, action="store_true")
    option("--render", "write them again, from what --page has measured last", action="store_true")
    smoke = f"try the benchmark itself: --quick, one run, {OURS} and {LIMIT} alone; exits with 1 if a work fails"
    option("--smoke", smoke, action="store_true")
    option(INSIDE, argparse.SUPPRESS, type=Path)
    options = parser.parse_args()
    if options.smoke:
        options.quick, options.runs, options.tools = True, 1, [OURS, LIMIT]
    if options.growth:
        options.tools = [OURS]
    if options.floor:
        options.tools = [*options.tools, FLOOR]
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def tool_names(text):
    """`ftpfs,rclone-off` as names of tools, in the order of the table."""
    names = [name.strip().replace("-", " ") for name in text.split(",")]
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"no tool is called {name}; there are {', '.join(NAMES)}")
    return [name for name in NAMES if name in names]
