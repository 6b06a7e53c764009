"""What the command line asks for, and the half of it that has the machine's network: where programs are fetched."""

import json
import os
import subprocess
import sys
from argparse import Namespace

from . import inside, isolation, micro, page, programs, server
from .options import INSIDE, read_options
from .places import BENCH, REPOSITORY
from .work import Site
from .works import chosen_works, sizes_for


def main(description: str) -> int:
    options = read_options(description)
    if options.inside:
        return inside.main(options)
    if options.list:
        works = chosen_works(options, Site(None, None, None, None, sizes_for(options)))
        print("\n".join(work.title for work in works))
        return 0
    if options.render:
        page.write()
        return 0
    if options.micro:
        return alone(options)
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for network, mount and process namespaces of its own")
    return page.measure_and_write(options) if options.page else outside(options)


def alone(options: Namespace) -> int:
    """The micro-benchmarks, which need neither servers nor mounts."""
    results = micro.run()
    print(micro.table(results))
    if options.json:
        options.json.write_text(json.dumps(micro.record(results, version(options)), indent=1) + "\n")
    return 0


MEASURED = ["--", "Sources", "Package.swift", ":!*.docc/*"]
"""What of the repository makes the program."""


def version(options: Namespace) -> str:
    """The last commit that changed the program, with a plus sign when there are changes on top of it."""
    if options.binary:
        return "unknown"

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", REPOSITORY, *words], stdout=subprocess.PIPE, text=True).stdout.strip()

    commit = git("log", "-1", "--format=%h", "--abbrev=12", *MEASURED)
    changes = git("status", "--porcelain", "--untracked-files=no", *MEASURED)
    return f"{commit}+" if changes else commit or "unknown"


def outside(options: Namespace) -> int:
    """Gets what is needed, with the machine's network; then starts the half that measures."""
    with isolation.scratch_folder() as scratch:
        try:
            found = programs.gather(options.tools, options.binary)
            if options.rtt:
                found["link"] = programs.link()
        except programs.Missing as reason:
            sys.exit(f"bench: {reason}")
        server.fetch(options.server)
        (scratch / "found.json").write_text(json.dumps({"programs": found, "version": version(options)}))
        return isolation.run_inside(BENCH, *sys.argv[1:], INSIDE, scratch)
