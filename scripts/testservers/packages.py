"""Gets the servers without installing them.

vsftpd, ProFTPD and Pure-FTPd conflict with each other as Debian packages, and a package that is installed starts a
server on port 21. So the packages are downloaded and unpacked into a folder, with the shared libraries that this
machine lacks beside them (LD_LIBRARY_PATH finds those). pyftpdlib comes from PyPI into a folder likewise.
"""

import fcntl
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

from .settings import STORE


class Missing(Exception):
    """Something cannot be had; the text says what and what would help."""


@contextmanager
def only_one_installs():
    """Two that start at the same time do not unpack over each other."""
    STORE.mkdir(parents=True, exist_ok=True)
    with open(STORE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def quiet(*command, cwd=None):
    """Runs a command, its output kept for the error message."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        raise Missing(f"'{' '.join(map(str, command))}' failed:\n{done.stdout.strip()}")
    return done.stdout


TRIES, PAUSE = 4, 5
"""How often something is fetched from the network before it is given up, and the seconds between two tries: archives and
the lock of the package lists are busy for some seconds now and then."""


def fetch(*command, cwd=None):
    """Like `quiet`, for what comes from the network."""
    for _ in range(TRIES - 1):
        try:
            return quiet(*command, cwd=cwd)
        except Missing as reason:
            print(f"test-servers: in {PAUSE} s once more: {reason}", file=sys.stderr)
            time.sleep(PAUSE)
    return quiet(*command, cwd=cwd)


def download(package, folder):
    """Downloads one Debian package and unpacks it into the folder; the package lists are fetched when they are old."""
    debs = STORE / "downloads"
    debs.mkdir(parents=True, exist_ok=True)
    get = ["apt-get", "--quiet", "-o", "APT::Sandbox::User=root"]
    for old in debs.glob(f"{package}_*.deb"):
        old.unlink()
    try:
        quiet(*get, "download", package, cwd=debs)
    except Missing:
        print("test-servers: fetching the package lists", file=sys.stderr)
        fetch(*([] if os.geteuid() == 0 else ["sudo"]), *get, "update")
        fetch(*get, "download", package, cwd=debs)
    for deb in debs.glob(f"{package}_*.deb"):
        quiet("dpkg", "-x", deb, folder)


def missing_libraries(binary, environment):
    """The shared libraries that the loader does not find."""
    listing = subprocess.run(["ldd", binary], env=environment, stdout=subprocess.PIPE, text=True).stdout
    return re.findall(r"^\s*(\S+) => not found", listing, re.MULTILINE)


def libraries_needed_by(package):
    """The library packages that a package depends on and that are not installed."""
    listing = quiet("apt-cache", "depends", package)
    names = re.findall(r"^\s*\|?(?:Pre)?Depends: (lib[^\s<>:]+)", listing, re.MULTILINE)
    installed = {
        line.split("\t")[0].split(":")[0]
        for line in quiet("dpkg-query", "-W", "-f", "${Package}\t${db:Status-Abbrev}\n").splitlines()
        if line.split("\t")[1].startswith("ii")
    }
    return [name for name in names if name not in installed]


def debian_package(package, binary):
    """Unpacks a package and the libraries it lacks.

    Returns the folder it is in and the environment in which its programs start.
    """
    folder = STORE / "packages" / package
    libraries = STORE / "packages" / "libraries"
    environment = dict(os.environ)
    with only_one_installs():
        if not (folder / binary).exists():
            print(f"test-servers: unpacking {package}", file=sys.stderr)
            folder.mkdir(parents=True, exist_ok=True)
            download(package, folder)
        libraries.mkdir(parents=True, exist_ok=True)

        def search_path():
            found = {str(path.parent) for path in libraries.rglob("*.so*")}
            if found:
                environment["LD_LIBRARY_PATH"] = ":".join(sorted(found))
            return environment

        # Libraries may need libraries: two rounds were enough for all of Debian 12, the third is in reserve.
        asked = [package]
        for _ in range(3):
            if not missing_libraries(folder / binary, search_path()):
                break
            asked = [needed for one in asked for needed in libraries_needed_by(one)]
            for needed in asked:
                print(f"test-servers: unpacking {needed}", file=sys.stderr)
                download(needed, libraries)
    lacking = missing_libraries(folder / binary, search_path())
    if lacking:
        raise Missing(f"{package} needs {', '.join(lacking)}, which no package it depends on has")
    return folder, environment


def python_package(requirement, module):
    """Installs a package of PyPI, with what it needs, into a folder of its own and returns that."""
    folder = STORE / "packages" / requirement
    with only_one_installs():
        if not (folder / module).exists():
            print(f"test-servers: installing {requirement}", file=sys.stderr)
            fetch(
                sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore",
                "--target", folder, requirement)
    return folder
