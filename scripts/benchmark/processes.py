"""What a process and its children took of the machine, from /proc (proc(5))."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields behind the name, from the third on: state, parent, …; None when the process is gone."""
    try:
        # The name is in parentheses and may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def family(pid):
    """The process and all that it started and that still runs."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    members = [pid]
    for member in members:
        members += children.get(member, [])
    return members


def cpu_seconds(pid):
    """User and system time of the process, of its children and of those that have ended."""
    ticks = 0
    for member in family(pid):
        if fields := _stat(member):
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


def peak_memory(pid):
    """Bytes: the most that was resident at once (VmHWM); the largest of the process and its children."""
    peaks = [0]
    for member in family(pid):
        try:
            for line in Path(f"/proc/{member}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peaks.append(int(line.split()[1]) * 1024)
        except OSError:
            pass
    return max(peaks)


def bytes_moved(pid):
    """What the process read and wrote with read(2), write(2) and their like, a mount's requests among them."""
    try:
        counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    except OSError:
        return 0
    return int(counters["rchar"]) + int(counters["wchar"])
