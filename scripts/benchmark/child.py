"""Does things in a process of their own, so that a mount that hangs can be left behind, and says how they failed."""

import errno
import os
import pickle
import select
import signal
import subprocess
import time


class Failed(Exception):
    """A work could not be done; the text is what the table shows: `EPERM`, `wrong content`, `more than 120 s`."""


class TooSlow(Failed):
    """It was not done within its time."""


ERRNO_OF_TEXT = {os.strerror(number): name for number, name in errno.errorcode.items()}


def program(*command):
    """Runs a program and returns what it wrote; its error is told as an errno."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failed(short(done.stderr.decode(errors="replace")) or f"{command[0]} exits with {done.returncode}")
    return done.stdout


def short(message):
    """The errno that a program's message ends with (`cp: …: Operation not permitted`), else its last line."""
    lines = message.strip().splitlines()
    for line in lines:
        if (text := line.rpartition(": ")[2]) in ERRNO_OF_TEXT:
            return ERRNO_OF_TEXT[text]
    return lines[-1][:60] if lines else ""


def do(action, limit):
    """Calls `action` in a process of its own, and returns how many seconds it took and what it returned.

    The time is taken over there, around the action: starting the process is no part of it. After `limit` seconds the
    process is killed, with all that it started.
    """
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer(action, writable)
    os.close(writable)
    try:
        answer = _read_to_end(readable, limit)
    finally:
        os.close(readable)
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended before it had a group
        _reap(pid)
    if answer is None:
        raise TooSlow(f"more than {limit:g} s")
    failure, seconds, result = pickle.loads(answer)
    if failure:
        raise Failed(failure)
    return seconds, result


def _answer(action, writable):
    """In the new process: does it, sends (failure, seconds, result) and ends."""
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        start = time.perf_counter()
        try:
            result, failure = action(), None
        except Failed as reason:
            result, failure = None, str(reason)
        except OSError as reason:
            result, failure = None, errno.errorcode.get(reason.errno, str(reason))
        except Exception as reason:
            result, failure = None, f"{type(reason).__name__}: {reason}"
        seconds = time.perf_counter() - start
        with open(writable, "wb") as file:
            pickle.dump((failure, seconds, result), file)
    finally:
        # Not `exit`: the clean-up of the process this is a copy of is not this one's.
        os._exit(0)


def _read_to_end(readable, limit):
    """All that the process sends; None when it takes too long."""
    deadline = time.monotonic() + limit
    pieces = []
    while True:
        if not select.select([readable], [], [], max(0, deadline - time.monotonic()))[0]:
            return None
        piece = os.read(readable, 1 << 20)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _reap(pid):
    """Collects the killed process; one that waits for a reply of a mount's daemon ends only with that and is left."""
    for _ in range(100):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
