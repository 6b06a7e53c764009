"""One mount, from the start of its daemon to its end."""

import os
import shutil
import signal
import subprocess
import time

from . import processes
from .child import Failed
from .tools import environment_with

PATIENCE = 60
"""Seconds for a daemon to mount, and as many to end after the unmount; what it has to send meanwhile is little."""


class Mount:
    """A program's mount of the server; use it in a `with` statement. `option`: a mount option for ftpfs."""

    def __init__(self, tool, server, scratch, option=""):
        self.tool = tool
        self.path = scratch / "mnt"
        self.cache = scratch / "cache"
        self.log = scratch / f"{tool.name.replace(' ', '-')}.log"
        self.path.mkdir(exist_ok=True)
        self.cache.mkdir(mode=0o700)
        command, environment = tool.command(server, self.path, self.cache, option)
        self.log_file = open(self.log, "wb")
        self.start = time.perf_counter()
        self.daemon = subprocess.Popen(
            command,
            env=environment_with(environment),
            stdin=subprocess.DEVNULL,
            stdout=self.log_file,
            stderr=self.log_file,
        )

    def __enter__(self):
        try:
            self._wait_until_mounted()
        except BaseException:
            self.__exit__()
            raise
        self.seconds_to_mount = time.perf_counter() - self.start
        return self

    def __exit__(self, *_):
        """Unmounts it and ends the daemon, in whatever state they are."""
        if self._is_mounted():
            # A mount that does not answer is detached; its daemon is ended below.
            if not self._unmount():
                subprocess.run(["umount", "--lazy", self.path], stderr=subprocess.DEVNULL)
                self.daemon.terminate()
        try:
            self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self.log_file.close()
        shutil.rmtree(self.cache, ignore_errors=True)

    def kill(self):
        """Ends the daemon at once; whoever waits for a reply of it gets an error."""
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        """The daemon does nothing until it is let go on; whoever asks it waits.

        A child of this process may call it too. `Popen.send_signal` would do nothing there: it asks first whether the
        daemon has ended, which only its parent is told.
        """
        os.kill(self.daemon.pid, signal.SIGSTOP)

    def let_go_on(self):
        os.kill(self.daemon.pid, signal.SIGCONT)

    def cpu_seconds(self):
        return processes.cpu_seconds(self.daemon.pid)

    def peak_memory(self):
        """Bytes"""
        return processes.peak_memory(self.daemon.pid)

    def bytes_moved(self):
        return processes.bytes_moved(self.daemon.pid)

    def _unmount(self):
        try:
            return subprocess.run(["umount", self.path], stderr=subprocess.DEVNULL, timeout=PATIENCE).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _is_mounted(self):
        with open("/proc/self/mountinfo") as mounts:
            return any(line.split()[4] == os.fspath(self.path) for line in mounts)

    def _wait_until_mounted(self):
        deadline = self.start + PATIENCE
        while not self._is_mounted():
            if self.daemon.poll() is not None:
                lines = self.log.read_text(errors="replace").strip().splitlines()
                raise Failed(f"does not mount: {lines[-1][-70:] if lines else 'no message'}")
            if time.perf_counter() > deadline:
                raise Failed("does not mount")
            time.sleep(0.0005)
