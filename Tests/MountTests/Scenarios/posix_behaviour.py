#!/usr/bin/env python3
"""posix_behaviour.py DIRECTORY SCRATCH: tries the cases in DIRECTORY, after having tried them on a memory disk.

Says of each case that fails what was got in place of what. On a mount of ftpfs the differences of the table below are
allowed, and each of them has to show: one that is gone is to be taken out.
"""

import errno
import os
import shutil
import sys
import tempfile
import traceback

import posix_cases_files  # noqa: F401
import posix_cases_names  # noqa: F401
from posix_support import CASES, Differs

ALLOWED = {
    # Case → what may come of it (`None`: it may hold), and why that is right.
    "hard_link": (["EPERM"], "FTP has no command for hard links; EPERM is what link(2) has for that"),
    "symbolic_link": (["EOPNOTSUPP"], "these servers have no command for symbolic links"),
    "fifo": (["EPERM"], "FTP has files and directories only"),
    "device": (["EPERM"], "FTP has files and directories only"),
    "unnamed_temporary_file": (["EOPNOTSUPP"], "a file without a name cannot be on a server"),
    "rename_exchanges": (["EINVAL"], "FTP has one rename, of one thing"),
    "name_with_newline": (["EINVAL"], "a line of FTP ends there"),
    "name_with_control_character": ([None, "EINVAL"], "Pure-FTPd takes none in a name"),
    "name_with_backslash": ([None, "EINVAL"], "Pure-FTPd takes none in a name"),
    "name_with_blank_at_the_end": ([None, "EINVAL"], "Pure-FTPd puts '_' in its place"),
    "owner_changed": (
        ["0 in place of 1234"], "FTP has no owners; root is not refused, or `cp -a`, `tar x` and `rsync -a` would fail"),
    "access_time_is_kept": (["1234567890.0 in place of 1000000000"], "FTP has one time, that of the last change"),
    "attributes_listed": ([None, "EOPNOTSUPP"], "FTP has no extended attributes"),
}


def is_ftpfs(directory):
    """Whether a mount of ftpfs holds the directory: the innermost mount above it."""
    best = ("", "")
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        place, kind = fields[4], fields[fields.index("-") + 1]
        if (directory + "/").startswith(place.rstrip("/") + "/") and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1].startswith("fuse")


def outcome(function, directory):
    """What comes of a case; `None` when it holds."""
    os.mkdir(directory)
    try:
        function(directory)
        return None
    except Differs as difference:
        return str(difference)
    except OSError as error:
        # ENOTSUP is another name of the same number.
        name = errno.errorcode.get(error.errno, str(error)).replace("ENOTSUP", "EOPNOTSUPP")
        if os.environ.get("VERBOSE"):
            traceback.print_exc()
        return name


def run(top):
    place = tempfile.mkdtemp(prefix="posix-", dir=top)
    try:
        return {name: outcome(function, f"{place}/{name}") for name, function in CASES.items()}
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main():
    directory = os.path.realpath(sys.argv[1])
    chosen = os.environ.get("CASES")
    if chosen:
        for name in list(CASES):
            if name not in chosen.split():
                del CASES[name]
    wrong = [f"on the memory disk: {name}: {got}" for name, got in run("/dev/shm").items() if got]
    allowed = {name: what for name, (what, _) in ALLOWED.items()} if is_ftpfs(directory) else {}
    for name, got in run(directory).items():
        wanted = allowed.get(name, [None])
        if got not in wanted:
            wrong.append(f"{name}: {got or 'holds'}" + (f", though the table says {wanted}" if wanted != [None] else ""))
    print(f"{len(CASES)} cases, {len(allowed)} allowed differences, {len(wrong)} wrong")
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


main()
