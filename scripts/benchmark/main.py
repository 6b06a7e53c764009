"""The command line, and the two halves of the script: outside, where programs are fetched, and inside, where all is measured."""

import argparse
import fnmatch
import json
import os
import sys
from pathlib import Path

from . import chart, isolation, programs, server, table
from .measure import Measurement
from .network import Link, Loopback, parse_rate
from .places import REPOSITORY
from .reading import READING
from .results import record
from .sizes import GIB, LINK, LOOPBACK, QUICK
from .summary import Cell
from .tools import Curl
from .wire import Wire
from .work import Site
from .writing import WRITING

INSIDE = "--inside"
"""How the script tells itself that it is in its own namespaces; the scratch folder follows."""

BUSY = 0.5
"""Load per core before the first run from which on others take what is measured."""


def arguments(description):
    parser = argparse.ArgumentParser(prog="bench", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rtt", type=float, metavar="MS", help="run over a link with this round-trip time")
    parser.add_argument("--rate", type=parse_rate, default="1gbit", metavar="RATE", help="the link's rate: 1gbit (default), 100mbit, 0 for no limit")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="how often each tool does each work (3)")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="only works whose title matches; may be repeated")
    parser.add_argument("--tools", type=tool_names, default=programs.NAMES, metavar="NAME,…", help="of " + ", ".join(programs.NAMES))
    parser.add_argument("--list", action="store_true", help="name the works and end")
    parser.add_argument("--limit", type=float, default=120, metavar="S", help="seconds that a work may take (120)")
    parser.add_argument("--server", default="vsftpd", metavar="NAME", help="vsftpd (default) or another of scripts/test-servers")
    parser.add_argument("--binary", metavar="PATH", help="the ftpfs to measure (default: builds it with swift build -c release)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's figures there")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="write an SVG there")
    parser.add_argument("--quick", action="store_true", help="little of each work: tries the benchmark, its figures say nothing")
    parser.add_argument("--drop-caches", action="store_true", help="empty the machine's file caches before every run; programs then load from disk too")
    parser.add_argument(INSIDE, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def tool_names(text):
    names = [name.strip().replace("-", " ") for name in text.split(",")]
    for name in names:
        if name not in programs.NAMES:
            raise argparse.ArgumentTypeError(f"no tool is called {name}; there are {', '.join(programs.NAMES)}")
    return [name for name in programs.NAMES if name in names]


def chosen_works(options, site):
    sizes = QUICK if options.quick else LINK if options.rtt else LOOPBACK
    site = Site(*site, sizes)
    works = [kind(site) for kind in READING + WRITING]
    patterns = [f"*{pattern.lower()}*" for pattern in options.only or [""]]
    return [work for work in works if any(fnmatch.fnmatch(work.title.lower(), pattern) for pattern in patterns)]


def main(description):
    options = arguments(description)
    if options.inside:
        return inside(options)
    works = chosen_works(options, (None, None, None))
    if options.list:
        print("\n".join(work.title for work in works))
        return 0
    if not works:
        sys.exit("bench: no work matches; --list names them")
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for network, mount and process namespaces of its own")
    return outside(options)


def outside(options):
    """Gets what is needed, with the machine's network; then starts the inner half."""
    with isolation.scratch_folder() as scratch:
        try:
            found = programs.gather(options.tools, options.binary)
            if options.rtt:
                found["link"] = programs.link()
        except programs.Missing as reason:
            sys.exit(f"bench: {reason}")
        server.fetch(options.server, scratch / "fetch")
        (scratch / "programs.json").write_text(json.dumps(found))
        return isolation.run_inside(REPOSITORY / "scripts" / "bench", *sys.argv[1:], INSIDE, scratch)


def inside(options):
    """Measures. What this starts and mounts ends with it."""
    os.environ["LC_ALL"] = "C"
    scratch = options.inside
    isolation.bring_loopback_up()
    found = json.loads((scratch / "programs.json").read_text())
    link_program = found.pop("link", None)
    network = Link(link_program, options.rtt / 1000, options.rate) if link_program else Loopback()
    memory = isolation.mount_memory(scratch / "memory", size=4 * GIB)
    running = server.Server(options.server, network, scratch / "servers", memory)
    tools = programs.tools(found)
    (memory / "local").mkdir()
    works = chosen_works(options, (running.root, memory / "local", running.owner))
    measurement = Measurement(running, Wire(network.device, running.port), network, scratch, options.limit, options.drop_caches)

    title = f"{options.server}, {network.title}, medians of {options.runs} runs"
    print(f"{title}\n{', '.join(dict.fromkeys(tool.version for tool in tools))}")
    if os.getloadavg()[0] > BUSY * os.cpu_count():
        print(f"The machine is busy (load {os.getloadavg()[0]:.1f}): the figures are noisy.")
    print(f"\n{table.details_header()}")
    for work in works:
        work.prepare()
    rows = []
    try:
        for work in works:
            rows.append((work, measure_in_turn(measurement, tools, work, options.runs)))
            print(table.details(work.title, rows[-1][1], work.amount), flush=True)
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    named = [(work.title, row) for work, row in rows]
    print(f"\n{table.summary(named, [tool.name for tool in tools])}")
    if options.json:
        options.json.write_text(json.dumps(record(title, network, options, tools, rows), indent=1) + "\n")
    if options.chart:
        options.chart.write_text(chart.svg(f"ftpfs and rclone on {title}", named))
    return 0


def measure_in_turn(measurement, tools, work, runs):
    """Tool → Cell. A tool that fails is not tried again."""
    row = {}
    for _ in range(runs):
        for tool in tools:
            if isinstance(tool, Curl) and work.curl("") is None:
                continue
            cell = row.setdefault(tool.name, Cell([]))
            if not cell.failure:
                cell.outcomes.append(measurement.take(tool, work))
    return row
