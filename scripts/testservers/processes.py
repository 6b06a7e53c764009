"""Processes by number: who they are, whom they started, and how they are ended. Reads /proc (proc(5))."""

import os
import signal
import time
from pathlib import Path


def stat_of(pid):
    """The state, parent and start time of a process; None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses, which may itself hold anything.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def start_time(pid):
    """When a process started, in clock ticks after the boot: with the number it names one process for good."""
    found = stat_of(pid)
    return found[2] if found and found[0] != "Z" else None


def with_descendants(pid):
    """The process and all that it started, directly or not, itself first."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := stat_of(entry.name)):
            children.setdefault(found[1], []).append(int(entry.name))
    family = [pid]
    for member in family:
        family += children.get(member, [])
    return family


def send(pids, number):
    """Sends a signal to each of the processes; those that are gone are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def wait_until(condition, seconds):
    """Whether the condition came true within the time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def reap(pid):
    """Collects a child of this process that has ended, so that it does not stay as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def end(pid, started, first=signal.SIGTERM):
    """Ends the process that has this number and start time, with all that it started; returns when they are gone."""
    if start_time(pid) != started:
        return
    family = [(member, start_time(member)) for member in with_descendants(pid)]

    def alive():
        reap(pid)
        return [member for member, born in family if born is not None and start_time(member) == born]

    # A stopped process does not see SIGTERM until it goes on.
    send(alive(), first)
    send(alive(), signal.SIGCONT)
    if not wait_until(lambda: not alive(), 3):
        send(alive(), signal.SIGKILL)
        wait_until(lambda: not alive(), 3)
