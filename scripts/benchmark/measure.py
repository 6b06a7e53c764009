"""Does one work with one tool, once, and says what it took.

The course of a run: the server's disk is brought to where the work starts, the daemon mounts with empty caches, the
connections come to rest; the clock and the counters start, the work is done in a process of its own, what it wrote is
waited for on the server's disk; the connections come to rest again and the counters stop; then what was read or written
is compared, byte for byte, and the mount is taken down. A work that says so does not wait for the server: what it wrote
must be there when the mount is gone.
"""

import os
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field

from . import isolation
from .child import Failed, TooSlow, do
from .mount import Mount
from .tools import Curl, environment_with


@dataclass
class Outcome:
    """What a run took; with `failure` the rest is not there."""

    failure: str = ""
    seconds: float = 0
    cpu: float = 0
    """Seconds of the daemon with all its children; of curl."""
    peak: int = 0
    """Bytes: the most memory it had since it was started."""
    moved: int = 0
    """Bytes that the daemon read and wrote: next to none when the kernel answers from its own cache."""
    bytes: int = 0
    connections: int = 0
    commands: int | None = 0
    """None: nobody can tell, they are encrypted."""
    asks_daemon: bool | None = None
    """Whether doing it again asks the daemon for something; None where nobody has looked."""
    verbs: Counter = field(default_factory=Counter)
    commands_complete: bool = True

    def take(self, traffic, is_secure):
        self.bytes, self.connections = traffic.bytes, traffic.connections
        self.commands = None if is_secure else traffic.commands
        self.verbs, self.commands_complete = traffic.verbs, traffic.is_complete


class Measurement:
    """Everything a run needs; the same for all of them.

    `servers`: is it the one with TLS → Server. `silence`: after so many seconds without a byte the wire is at rest.
    """

    def __init__(self, servers, wire, silence, scratch, limit, drops_caches=False):
        self.servers, self.wire, self.silence, self.scratch, self.limit = servers, wire, silence, scratch, limit
        self.drops_caches = drops_caches

    def take(self, tool, work):
        """The outcome of one run."""
        work.reset()
        if self.drops_caches:
            isolation.forget_caches()
        isolation.touch_memory(work.memory)
        try:
            outcome = self._curl(tool, work) if isinstance(tool, Curl) else self._mounted(tool, work)
            if not has_arrived(work):
                raise Failed("not on the server")
            return outcome
        except Failed as reason:
            return Outcome(failure=str(reason))

    def _mounted(self, tool, work):
        outcome = Outcome()
        self.wire.start()
        with Mount(tool, self.servers[work.is_secure], self.scratch, work.option) as mount:
            try:
                cpu, moved = 0.0, 0
                if not work.starts_before_mount:
                    self._come_to_rest()
                    do(lambda: work.warm(mount.path), self.limit)
                    self._come_to_rest()
                    self.wire.start()
                    cpu, moved = mount.cpu_seconds(), mount.bytes_moved()
                outcome.seconds, result = do(lambda: work.run(mount.path), self.limit)
                if work.starts_before_mount:
                    outcome.seconds += mount.seconds_to_mount
                elif not work.ends_behind_program:
                    outcome.seconds += self._until_arrived(work)
                self._come_to_rest()
                outcome.take(self.wire.stop(), work.is_secure)
                outcome.cpu, outcome.moved = mount.cpu_seconds() - cpu, mount.bytes_moved() - moved
                outcome.peak = mount.peak_memory()
                do(lambda: work.check(mount.path, result), self.limit)
                outcome.asks_daemon = work.asks_daemon(mount)
            except TooSlow:
                # What hangs in the mount is let go before it is unmounted.
                mount.kill()
                raise
        return outcome

    def _curl(self, tool, work):
        outcome, server = Outcome(), self.servers[work.is_secure]
        command = tool.command(server, work.curl(server.url), has_logged_in=not work.login_counts)
        self.wire.start()
        outcome.seconds, (output, usage) = do(lambda: run_curl(command), self.limit)
        if not work.login_counts:
            # The first transfer was the one that logged in.
            outcome.seconds = sum(map(float, output.split()[1:]))
        outcome.seconds += self._until_arrived(work)
        self._come_to_rest()
        outcome.take(self.wire.stop(), work.is_secure)
        outcome.cpu, outcome.peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        return outcome

    def _until_arrived(self, work):
        """Seconds until what was written is on the server's disk. Comparing it takes none of them."""
        start = time.perf_counter()
        while True:
            looked = time.perf_counter()
            if has_arrived(work):
                return looked - start
            if looked - start > self.limit:
                raise Failed("not on the server")
            time.sleep(0.002)

    def _come_to_rest(self):
        """Waits until the wire is silent for a moment: what is fetched or armed ahead is a cost of the work too."""
        deadline = time.monotonic() + 5
        before = None
        while before != (now := self.wire.bytes()) and time.monotonic() < deadline:
            before = now
            time.sleep(self.silence)


def has_arrived(work):
    """Whether it is on the server's disk; a file that is being replaced while it is compared is not."""
    try:
        return work.arrived()
    except OSError:
        return False


def run_curl(command):
    """Runs it; returns what it wrote and what it used of the machine."""
    curl = subprocess.Popen(
        command,
        env=environment_with({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    # It says nothing but its errors on one and a line for each transfer on the other: neither pipe gets full.
    message, output = curl.stderr.read(), curl.stdout.read()
    _, status, usage = os.wait4(curl.pid, 0)
    curl.returncode = os.waitstatus_to_exitcode(status)
    if curl.returncode != 0:
        raise Failed(complaint(message) or f"curl exits with {curl.returncode}")
    return output, usage


def complaint(message):
    """curl's error among what it wrote, a progress meter with several transfers."""
    return next((line[6:66] for line in message.splitlines() if line.startswith("curl: ")), "")
