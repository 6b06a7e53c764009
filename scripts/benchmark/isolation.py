"""Namespaces of the benchmark's own, so that it disturbs nothing and leaves nothing behind.

The script starts itself a second time with its own network, its own mounts and its own process numbers (namespaces(7)):

- The loopback device in there carries nothing but the benchmark's traffic: its counters are the bytes on the wire.
- Whatever is mounted is seen by the benchmark only.
- The inner script is process 1. When it ends, however that happens, the kernel ends every process that it started,
  unmounts everything and takes the network down. The outer script then removes the folder.
"""

import fcntl
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
"""netdevice(7)"""


@contextmanager
def scratch_folder():
    """A folder for mount points, logs and the programs' caches. The server's sessions are not root and must get in."""
    for left in Path("/var/tmp").glob("ftpfs-bench-*"):
        # By a benchmark that was killed; a process number is its name's first part.
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"ftpfs-bench-{os.getpid()}-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_inside(*arguments):
    """Runs the script with these arguments in namespaces of its own and returns its exit status."""
    # setpriv: that this process is killed must not leave the inner one alone either.
    inside = subprocess.Popen(
        [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            sys.executable,
            *map(str, arguments),
        ]
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    try:
        return inside.wait()
    except KeyboardInterrupt:
        # A terminal sends it to both; whoever was sent it alone is ended below.
        try:
            inside.wait(2)
        except subprocess.TimeoutExpired:
            pass
        return 128 + signal.SIGINT
    finally:
        if inside.poll() is None:
            inside.kill()
            inside.wait()


def leave_mounts():
    """Unmounts here what others serve through FUSE: their programs would be kept waiting for this namespace at their end."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("fuse"):
            path = before.split()[4].encode().decode("unicode_escape").encode("latin-1")
            subprocess.run(["umount", "--lazy", path], stderr=subprocess.DEVNULL)


def bring_loopback_up():
    """A new network namespace has its loopback device, but down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


ROOM = 1.5
"""Memory that is needed, by that for files: the kernel's pages of what is read through a mount, and the daemons."""


def available_memory():
    """How many bytes there are without taking them from anybody."""
    return next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemAvailable:")
    )


def touch_memory(size):
    """Uses so much memory once, at most half of what there is, and gives it back: it is there for what comes next.

    A virtual machine gets each page from its host at the first touch, and many hosts take back what has been free for
    some seconds (free page reporting). A run in a fresh mount fills the kernel's cache from free memory: with pages that
    the host has to bring, reading 1 GiB took up to 2.2 s and 3.0 s of the daemon's processor time, in place of 0.8 and
    0.5. That hits every mount alike, but not curl, which fills no cache; and not every run alike.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    mmap.mmap(-1, min(size, available_memory() // 2), flags=flags).close()


def mount_memory(folder, size):
    """A file system in memory: what is measured shall be the mounts, not this machine's disk."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "bench", folder], check=True)
    return folder


def demand_memory(size):
    """Ends the script where there is not enough of it."""
    available = available_memory()
    if available < size * ROOM:
        sys.exit(f"bench: needs {size * ROOM / 2**30:.1f} GiB of free memory, there are {available / 2**30:.1f}")


def keep_etc(folder):
    """Puts a copy of /etc into the place of /etc, for the benchmark only.

    A test server may have mounted its own user table over /etc/passwd, and the kernel takes such a mount away when
    anybody replaces that file, as installing a package does. A file that goes while it is copied is not missed.
    """
    subprocess.run(["cp", "--archive", "/etc", folder], stderr=subprocess.DEVNULL)
    subprocess.run(["mount", "--bind", folder / "etc", "/etc"], check=True)


def forget_caches():
    """Drops what the kernel keeps of files in memory, of the whole machine. Files in memory stay."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")
