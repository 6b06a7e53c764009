"""Random changes of files in a mount whose connections break at random; what the server has afterwards is what it may have.

    faulty_operations.py MOUNT SERVER SEED COUNT SWITCH [later]

The model knows for each name what the server may hold: after a success exactly one content (or none), after a failure the
old one or the new one, never a mixture. Which of them it is may change once more: when the last descriptor has been closed,
what could not be sent is tried again. So what is done next with the file is done with either of them. A file that is made, and one that is appended to, grows under its own name, so of those
also any beginning of the new content may be there. SWITCH is a file: while it exists, connections break (`proxy.py`,
--chaos); it is taken away before each comparison, which is made on the server's own disk.

`later`: the mount has `writeback`. What a name stands for is told by the mount then, and at each comparison the server has to come to
the same, and to nothing else: that connections broke is no conflict.
"""

import os
import random
import sys
import time
from pathlib import Path

NAMES = [f"{directory}{name}" for directory in ("", "sub/") for name in "abcdef"]
COMPARE_EVERY = 50
LARGEST = 600_000
SETTLED = 1.5
"""Seconds. Behind a connection that is gone a server may still write what it had received; a listing that was made meanwhile
counts for `dir_ttl`, which is 1 here."""


COMING = 150
"""Seconds. A file that could not be sent is tried again after longer and longer pauses, and one of which nobody knows what the server
still makes of it after two minutes."""


class Wrong(Exception):
    pass


def read(place, name):
    """The content of a file; None: there is none."""
    try:
        return (place / name).read_bytes()
    except FileNotFoundError:
        return None


class State:
    """What one name may stand for: whole contents (None: nothing), and files of which any longer beginning may be there."""

    def __init__(self, *contents):
        self.contents = set(contents)
        self.growing = set()

    def allows(self, found):
        if found in self.contents:
            return True
        return found is not None and any(
            len(found) >= least and whole.startswith(found) for least, whole in self.growing)

    def __repr__(self):
        sizes = [None if content is None else len(content) for content in self.contents]
        return f"one of {sizes}, or growing {[(least, len(whole)) for least, whole in self.growing]}"


class Run:
    def __init__(self, mount, server, seed, switch, later):
        self.mount, self.server, self.switch = Path(mount), Path(server), Path(switch)
        self.later = later
        self.random = random.Random(seed)
        self.states = {name: State(None) for name in NAMES}
        self.history = []
        self.failures = 0

    def content(self):
        size = self.random.choice([0, 10, 1000, 60_000, self.random.randrange(LARGEST)])
        return self.random.randbytes(size)

    def look(self, name):
        """What the server has, once that is one of the things that it may have, and does not change any more."""
        found, before = None, ()
        for _ in range(200):
            try:
                found = read(self.mount if self.later else self.server, name)
            except OSError:
                continue
            if found == before and self.states[name].allows(found):
                return found
            before = found
            time.sleep(0.02)
        size = None if found is None else len(found)
        place = "in the mount" if self.later else "on the server"
        raise Wrong(f"{name}: {size} bytes are {place}, allowed is {self.states[name]}")

    def known(self, name):
        """What the name may stand for, first of all what it stands for now; after a failure the server's disk tells that."""
        state = self.states[name]
        if len(state.contents) > 1 or state.growing:
            found = self.look(name)
            return [found] + [content for content in state.contents if content != found]
        return list(state.contents)

    def attempt(self, what, body, after, growing=None):
        """Does it. `after` says what each name may stand for then; after a failure each of them may be as before. `growing`: the
        name whose content may be there in part then, and how much of it at least."""
        self.history.append(what)
        try:
            body()
        except OSError as error:
            self.failures += 1
            self.history[-1] += f": {error.strerror}"
            for name, contents in after.items():
                self.states[name].contents.update(contents)
            if growing:
                name, least = growing
                self.states[name].growing.update((least, content) for content in after[name])
                time.sleep(SETTLED)
            return
        for name, contents in after.items():
            self.states[name] = State(*contents)

    # Operations

    def write(self, name, data, flags, offset=None):
        file = os.open(self.mount / name, os.O_WRONLY | flags, 0o644)
        try:
            if offset is not None:
                os.lseek(file, offset, os.SEEK_SET)
            for start in range(0, len(data), 65_536):
                os.write(file, data[start:start + 65_536])
            if self.random.random() < 0.3:
                os.fsync(file)
        except OSError:
            try:
                os.close(file)
            except OSError:
                pass
            raise
        os.close(file)

    def do_save(self):
        name, data = self.random.choice(NAMES), self.content()
        # Where nothing is there that could be lost, it grows under its own name.
        growing = None if all(self.known(name)) else (name, 0)
        self.attempt(
            f"save {name} {len(data)}", lambda: self.write(name, data, os.O_CREAT | os.O_TRUNC), {name: [data]}, growing)

    def do_append(self):
        name = self.random.choice(NAMES)
        data = self.content()
        olds = self.known(name)
        if None not in olds:
            self.attempt(
                f"append {name} {len(olds[0])}+{len(data)}", lambda: self.write(name, data, os.O_APPEND),
                {name: [old + data for old in olds]}, (name, min(map(len, olds))))

    def do_change(self):
        """A few bytes inside of a file that is too small to be patched in place."""
        name, data = self.random.choice(NAMES), self.random.randbytes(5)
        olds = self.known(name)
        if None not in olds and min(map(len, olds)) > len(data):
            place = self.random.randrange(min(map(len, olds)) - len(data))
            new = [old[:place] + data + old[place + len(data):] for old in olds]
            self.attempt(f"change {name} {len(olds[0])} at {place}", lambda: self.write(name, data, 0, place), {name: new})

    def do_remove(self):
        name = self.random.choice(NAMES)
        if None not in self.known(name):
            self.attempt(f"remove {name}", lambda: os.unlink(self.mount / name), {name: [None]})

    def do_rename(self):
        old, new = self.random.sample(NAMES, 2)
        contents = self.known(old)
        if None not in contents:
            self.known(new)
            self.attempt(
                f"rename {old} to {new}", lambda: os.rename(self.mount / old, self.mount / new),
                {old: [None], new: contents})

    def do_read(self):
        """What is read while connections break is right, or an error."""
        name = self.random.choice(NAMES)
        self.history.append(f"read {name}")
        try:
            found = read(self.mount, name)
        except OSError:
            self.failures += 1
            return
        if not self.states[name].allows(found):
            size = None if found is None else len(found)
            raise Wrong(f"{name}: {size} bytes were read that the server never had; allowed is {self.states[name]}")

    OPERATIONS = [do_save] * 5 + [do_append] * 3 + [do_change] * 3 + [do_remove] + [do_rename] * 2 + [do_read] * 2

    def compare(self):
        """With the connections whole: the server's disk, then what the mount shows of it."""
        for name in NAMES:
            self.states[name] = State(self.look(name))
        deadline = time.monotonic() + (COMING if self.later else 60)
        for name in NAMES:
            while True:
                try:
                    if self.states[name].allows(read(self.server if self.later else self.mount, name)):
                        break
                except OSError:
                    pass
                if time.monotonic() > deadline:
                    raise Wrong(f"{name}: the mount does not show what is on the server")
                time.sleep(0.2)
        if self.later:
            others = {str(path.relative_to(self.server)) for path in self.server.rglob("*")} - {*NAMES, "sub"}
            others = [name for name in others if "conflict" in name]
            if others:
                raise Wrong(f"on the server there is also {others}")

    def run(self, count):
        (self.mount / "sub").mkdir()
        for number in range(count):
            if number % COMPARE_EVERY == 0:
                self.switch.touch()
            self.random.choice(self.OPERATIONS)(self)
            if number % COMPARE_EVERY == COMPARE_EVERY - 1:
                self.switch.unlink()
                self.compare()
        self.switch.unlink(missing_ok=True)
        self.compare()


def main():
    mount, server, seed, count, switch, *later = sys.argv[1:]
    run = Run(mount, server, int(seed), switch, bool(later))
    try:
        run.run(int(count))
    except Wrong as wrong:
        print(f"seed {seed}: {wrong}\nbefore that:\n" + "\n".join(run.history[-80:]), file=sys.stderr)
        return 1
    print(f"seed {seed}: {count} operations, {run.failures} failed")
    return 0


sys.exit(main())
