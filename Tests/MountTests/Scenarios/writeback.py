#!/usr/bin/env python3
"""A program that works on files in a mount until it is stopped, and what must be true of them on the server afterwards.

    writeback.py write MOUNT RECORD ROUND    works in MOUNT/rROUND; RECORD says what it did
    writeback.py check ROOT RECORD ROUND     exits with 0 if each file is as its last close left it, or as a later one would have

Each line of RECORD is `begin NAME DIGEST` before a close (or an unlink, DIGEST `-`), and `end NAME DIGEST` after it returned.
"""

import hashlib
import os
import random
import shutil
import sys


def digest(content):
    return hashlib.sha256(content).hexdigest()


def write(directory, record, seed):
    chance = random.Random(seed)
    os.mkdir(directory)
    log = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    contents = {}

    def note(word, name, content):
        os.write(log, f"{word} {name} {'-' if content is None else digest(content)}\n".encode())

    def put(path, data, flags):
        file = os.open(path, os.O_WRONLY | flags, 0o644)
        try:
            for start in range(0, len(data), 65536):
                os.write(file, data[start:start + 65536])
        finally:
            os.close(file)

    for number in range(400):
        name = f"f{number}"
        old = chance.choice(list(contents)) if contents else None
        size = chance.choice([0, 10, 1000, 5000, 5000, 40_000, 150_000, 600_000])
        data = chance.randbytes(size)
        what = chance.randrange(12)
        if what == 0 and old:
            # Written anew.
            name = old
            note("begin", name, data)
            put(f"{directory}/{name}", data, os.O_TRUNC)
        elif what == 1 and old:
            name, data = old, contents[old] + data
            note("begin", name, data)
            put(f"{directory}/{name}", data[len(contents[old]):], os.O_APPEND)
        elif what == 2 and old:
            # As editors and rsync do it.
            name = old
            beside = f".{name}.new"
            note("begin", beside, data)
            put(f"{directory}/{beside}", data, os.O_CREAT)
            note("end", beside, data)
            note("begin", name, data)
            note("begin", beside, None)
            os.rename(f"{directory}/{beside}", f"{directory}/{name}")
            note("end", beside, None)
        elif what == 3 and old:
            name, data = old, None
            note("begin", name, data)
            os.unlink(f"{directory}/{name}")
        else:
            note("begin", name, data)
            put(f"{directory}/{name}", data, os.O_CREAT | os.O_EXCL)
        note("end", name, data)
        contents[name] = data
        if data is None:
            del contents[name]


def check(directory, record):
    allowed = {}
    closed = 0
    with open(record) as lines:
        for line in lines:
            word, name, what = line.split()
            if word == "end":
                allowed[name] = [what]
                closed += 1
            elif name in allowed:
                allowed[name].append(what)
    wrong = 0
    for name, digests in allowed.items():
        try:
            with open(f"{directory}/{name}", "rb") as file:
                content = file.read()
            found = digest(content)
        except FileNotFoundError:
            content, found = b"", "-"
        if found not in digests:
            wrong += 1
            print(f"{name}: {found[:8]}, {len(content)} bytes, instead of {[what[:8] for what in digests]}")
    others = [name for name in os.listdir(directory) if "conflict" in name] if os.path.isdir(directory) else []
    if others:
        print("conflicts:", others)
    print(f"{closed} closed, {wrong} wrong")
    shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if wrong or others else 0)


def main():
    action, place, record, number = sys.argv[1:]
    directory = f"{place}/r{number}"
    if action == "write":
        write(directory, record, number)
    else:
        if not os.path.exists(record):
            sys.exit(0)
        check(directory, record)


main()
