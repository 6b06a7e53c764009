"""All works in the order of the table, and those that the command line asks for."""

import fnmatch
from argparse import Namespace

from .reading import READING
from .sizes import LINK, LOOPBACK, QUICK, Sizes
from .whole import WholeRun
from .work import Site, Work
from .writing import WRITING

WORKS = [*READING, *WRITING, WholeRun]


def sizes_for(options: Namespace) -> Sizes:
    return QUICK if options.quick else LINK if options.rtt else LOOPBACK


def chosen_works(options: Namespace, site: Site) -> list[Work]:
    works = [kind(site) for kind in WORKS]
    patterns = [f"*{pattern.lower()}*" for pattern in options.only or [""]]
    return [work for work in works if any(fnmatch.fnmatch(work.title.lower(), pattern) for pattern in patterns)]
