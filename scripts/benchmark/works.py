"""All works in the order of the table, and those that the command line asks for."""

import fnmatch

from .reading import READING
from .sizes import LINK, LOOPBACK, QUICK
from .whole import WholeRun
from .writing import WRITING

WORKS = [*READING, *WRITING, WholeRun]


def sizes_for(options):
    return QUICK if options.quick else LINK if options.rtt else LOOPBACK


def chosen_works(options, site):
    works = [kind(site) for kind in WORKS]
    patterns = [f"*{pattern.lower()}*" for pattern in options.only or [""]]
    return [work for work in works if any(fnmatch.fnmatch(work.title.lower(), pattern) for pattern in patterns)]
