"""What is in the files: bytes that do not repeat, do not compress and are the same on every machine."""

import hashlib
import os
import random
import time

BLOCK = 1 << 20
_POOL = random.Random(959).randbytes(8 * BLOCK) * 2

SMALL_SIZES = (100, 900, 2_000, 4_096, 7_000, 12_000)
"""Bytes of small files, in turn: those of sources and configuration, 4.3 KB on average."""


def block(seed, index):
    """One MiB of a file. Blocks of one file, and of different files, differ."""
    start = (seed * 1_299_709 + index * 7_919) % (8 * BLOCK)
    return _POOL[start : start + BLOCK]


def write_file(path, size, seed):
    """Makes a file, unless an earlier work made it, and returns its path."""
    if path.exists() and path.stat().st_size == size:
        return path
    with open(path, "wb") as file:
        for index in range(0, size, BLOCK):
            file.write(block(seed, index // BLOCK)[: size - index])
    return path


def small(seed):
    """The content of a small file."""
    return block(seed, 0)[: SMALL_SIZES[seed % len(SMALL_SIZES)]]


def digest(*paths):
    """One checksum over the files' content, in order."""
    total = hashlib.blake2b()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(4 * BLOCK):
                total.update(piece)
    return total.hexdigest()


AGE = 3600
"""Seconds since the files were last changed. A mount may trust those less that are younger than the times in a listing
are exact, which is a minute; most files are older."""


def make_older(folder):
    """Gives all files in a folder their age."""
    moment = time.time() - AGE
    for parent, _, files in os.walk(folder):
        for name in files:
            os.utime(os.path.join(parent, name), (moment, moment))


def names(prefix, count):
    """`file-001` …: sorted as they were made."""
    width = len(str(count - 1))
    return [f"{prefix}-{number:0{width}d}" for number in range(count)]


def tree_of(folder):
    """Relative path → size (None: a directory) of all that is in a folder."""
    found = {}
    for parent, directories, files in os.walk(folder):
        inside = os.path.relpath(parent, folder)
        for name in directories:
            found[os.path.normpath(os.path.join(inside, name))] = None
        for name in files:
            found[os.path.normpath(os.path.join(inside, name))] = os.lstat(os.path.join(parent, name)).st_size
    return found
