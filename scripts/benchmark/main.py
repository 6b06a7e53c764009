"""The two halves of the script: outside, where programs are fetched, and inside, where all is measured."""

import fnmatch
import json
import os
import sys

from . import chart, isolation, programs, server, table
from .measure import Measurement
from .network import Link, Loopback
from .options import INSIDE, read_options
from .places import REPOSITORY
from .reading import READING
from .results import record
from .sizes import GIB, LINK, LOOPBACK, QUICK
from .summary import Cell
from .tools import Curl
from .wire import Wire
from .work import Site
from .writing import WRITING

MEMORY = 4 * GIB
"""For the server's files and for those that are copied in: 3 GiB of them on loopback."""

BUSY = 0.5
"""Load per core before the first run from which on others take what is measured."""


def chosen_works(options, site):
    sizes = QUICK if options.quick else LINK if options.rtt else LOOPBACK
    site = Site(*site, sizes)
    works = [kind(site) for kind in READING + WRITING]
    patterns = [f"*{pattern.lower()}*" for pattern in options.only or [""]]
    return [work for work in works if any(fnmatch.fnmatch(work.title.lower(), pattern) for pattern in patterns)]


def main(description):
    options = read_options(description)
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
    try:
        report(options, *measure(options))
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    return 0


def measure(options):
    """Does all works and prints what each took. Returns the title, the network, the tools, [(work, tool → Cell)]."""
    scratch = options.inside
    isolation.bring_loopback_up()
    found = json.loads((scratch / "programs.json").read_text())
    link_program = found.pop("link", None)
    network = Link(link_program, options.rtt / 1000, options.rate) if link_program else Loopback()
    memory = isolation.mount_memory(scratch / "memory", size=MEMORY)
    isolation.keep_etc(memory)
    running = server.Server(options.server, network, scratch / "servers", memory)
    wire = Wire(network.device, running.port)
    measurement = Measurement(running, wire, network, scratch, options.limit, options.drop_caches)
    tools = programs.tools(found, options.options)
    (memory / "local").mkdir()
    works = chosen_works(options, (running.root, memory / "local", running.owner))

    title = ", ".join(filter(None, [options.server, network.title, options.options, runs_text(options.runs)]))
    print(f"{title}\n{', '.join(dict.fromkeys(tool.version for tool in tools))}")
    if os.getloadavg()[0] > BUSY * os.cpu_count():
        print(f"The machine is busy (load {os.getloadavg()[0]:.1f}): the figures are noisy.")
    print(f"\n{table.details_header()}", flush=True)
    for work in works:
        work.prepare()
    rows = []
    for work in works:
        rows.append((work, measure_in_turn(measurement, tools, work, options.runs)))
        print(table.details(work.title, rows[-1][1], work.amount), flush=True)
    return title, network, tools, rows


def runs_text(count):
    return f"medians of {count} runs" if count > 1 else "a single run"


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


def report(options, title, network, tools, rows):
    """The summary on the terminal and in the files that were asked for."""
    named = [(work.title, row) for work, row in rows]
    print(f"\n{table.summary(named, [tool.name for tool in tools])}")
    if options.json:
        options.json.write_text(json.dumps(record(title, network, options, tools, rows), indent=1) + "\n")
    if options.chart:
        options.chart.write_text(chart.svg(f"ftpfs and rclone on {title}", named))
