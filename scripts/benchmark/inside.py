"""The half of the script that measures, in namespaces of its own. What it starts and mounts ends with it."""

import json
import os
import sys
from argparse import Namespace
from dataclasses import dataclass

from . import chart, growth, isolation, markdown, programs, results, server, table, targets
from .content import make_older
from .measure import Measurement
from .network import Link, Loopback
from .sizes import GIB, MIB
from .summary import Cell, Row
from .tools import Curl, Floor, Ftpfs
from .wire import Wire
from .work import Site, Work
from .works import chosen_works, sizes_for

MEMORY = 4 * GIB
"""For the server's files and for those that are copied in: 3 GiB of them on loopback."""

LITTLE_MEMORY = 128 * MIB
"""The same for a try."""

SILENCE, LITTLE_SILENCE = 0.1, 0.02
"""Seconds without a byte on the wire, besides three round trips, after which nothing more is on its way: many times
what a daemon needs to think. For a try it may be wrong."""

BUSY = 0.5
"""Load per core before the first run from which on others take what is measured."""


@dataclass
class Laboratory:
    """Everything that the works need, set up once."""

    measurement: Measurement
    network: Loopback | Link
    tools: list
    site: Site
    heading: dict
    """What the record begins with."""


def main(options: Namespace) -> int:
    os.environ["LC_ALL"] = "C"
    try:
        laboratory = set_up(options)
        works = chosen_works(options, laboratory.site)
        record = laboratory.heading
        if not options.growth:
            record |= compare(options, laboratory, works)
        if options.growth or options.smoke:
            record |= grow(options, laboratory)
        if options.json:
            options.json.write_text(json.dumps(record, indent=1) + "\n")
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    return 0 if not options.smoke or is_whole(record) and can_be_shown(record) else 1


def set_up(options: Namespace) -> Laboratory:
    """Starts the servers behind the network that was asked for, and prints what is measured with what."""
    scratch = options.inside
    isolation.leave_mounts()
    isolation.bring_loopback_up()
    found = json.loads((scratch / "found.json").read_text())
    link_program = found["programs"].pop("link", None)
    network = Link(link_program, options.rtt / 1000, options.rate) if link_program else Loopback()
    size = LITTLE_MEMORY if options.quick else MEMORY
    isolation.demand_memory(size)
    memory = isolation.mount_memory(scratch / "memory", size)
    isolation.keep_etc(memory)
    run = scratch / "servers"
    plain = server.Server(options.server, server.PORT, network, run, memory)
    secure = server.Server(options.server + server.SECURE, server.SECURE_PORT, network, run, memory)
    (memory / "local").mkdir()
    site = Site(plain.root, secure.root, memory / "local", plain.owner, sizes_for(options))
    tools = programs.tools(found["programs"], options.options)
    servers = {False: plain, True: secure}
    silence = (LITTLE_SILENCE if options.quick else SILENCE) + 3 * network.rtt
    wire = Wire(network.device, plain.port)
    measurement = Measurement(servers, wire, silence, scratch, options.limit, options.drop_caches)
    runs = f"medians of {options.runs} runs" if options.runs > 1 else "a single run"
    title = ", ".join(filter(None, [options.server, network.title, options.options, runs]))
    machine = results.machine()
    print(f"{title}, ftpfs of commit {found['version']}\n{', '.join(dict.fromkeys(tool.version for tool in tools))}")
    print(f"{machine['cores']} × {machine['processor']}, Linux {machine['kernel']}")
    if machine["load"] > BUSY * os.cpu_count():
        print(f"The machine is busy (load {machine['load']:.1f}): the figures are noisy.")
    heading = results.heading(title, found["version"], machine, network, tools)
    return Laboratory(measurement, network, tools, site, heading)


def compare(options: Namespace, laboratory: Laboratory, works: list[Work]) -> dict:
    """All works with all tools, beside each other. Returns that part of the record."""
    print(f"\n{table.details_header()}", flush=True)
    ftpfs = next((tool for tool in laboratory.tools if isinstance(tool, Ftpfs)), None)
    works = [work for work in works if not work.option or ftpfs and ftpfs.knows(work.option)]
    for work in works:
        work.prepare()
    make_older(laboratory.site.served)
    rows = {}
    for work in works:
        row = measure_in_turn(laboratory, work, options.runs)
        if row.cells:
            rows[type(work)] = row
            print(table.details(row, laboratory.network.rtt), flush=True)
    targets.judge(rows, laboratory.network.rtt)
    shown = list(rows.values())
    print(f"\n{table.summary(shown, [tool.name for tool in laboratory.tools])}")
    print(f"\n{table.targets(shown)}")
    if options.chart:
        options.chart.write_text(chart.svg(f"ftpfs and other mounts: {laboratory.heading['title']}", shown))
    return {"works": [results.work_record(row) for row in shown]}


def does(tool, work: Work) -> bool:
    """Whether a tool has a figure for a work."""
    if isinstance(tool, Curl) and work.curl("") is None or isinstance(tool, Floor) and not work.has_floor:
        return False
    return not work.tools or tool.name in work.tools


def measure_in_turn(laboratory: Laboratory, work: Work, runs: int) -> Row:
    """A B C A B C …. A tool that fails is not tried again."""
    row = Row(work.title, work.amount)
    for _ in range(runs):
        for tool in laboratory.tools:
            if not does(tool, work):
                continue
            cell = row.cells.setdefault(tool.name, Cell([]))
            if not cell.failure:
                cell.outcomes.append(laboratory.measurement.take(tool, work))
    return row


def grow(options: Namespace, laboratory: Laboratory) -> dict:
    """More and more of the same, with ftpfs alone. Returns that part of the record."""
    ftpfs = next(tool for tool in laboratory.tools if isinstance(tool, Ftpfs))

    def take(work):
        return Cell([laboratory.measurement.take(ftpfs, work) for _ in range(options.runs)])

    print(f"\n{growth.header()}", flush=True)
    records = []
    for series in growth.SERIES:
        print(series.title, flush=True)
        points = []
        for point in growth.points(series, laboratory.site, take):
            points.append(point)
            print(growth.line(point), flush=True)
        print(growth.growth_text(series, points), flush=True)
        records.append(results.series_record(series, points))
    return {"growth": records}


def is_whole(record: dict) -> bool:
    """Whether a try has done everything; says what it has not."""
    failures = [
        f"{work['title']}: {name} fails: {tool['failure']}"
        for work in record["works"]
        for name, tool in work["tools"].items()
        if "failure" in tool
    ]
    failures += [
        f"{series['title']}: {point['failure']}"
        for series in record["growth"]
        for point in series["points"]
        if point["failure"]
    ]
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return not failures


def can_be_shown(record: dict) -> bool:
    """Whether the page can be written from it, as it is read again from a file."""
    again = json.loads(json.dumps(record))
    parts = {"loopback": again, "link": again, "growth": again}
    return all(work["title"] in markdown.page(parts) for work in record["works"]) and bool(markdown.excerpt(parts))
