"""Gets curlftpfs from Debian without installing it.

Debian has had it up to version 11. Newer machines get it from there, with package lists kept apart, so that the
machine's own stay as they are; the libraries that it needs are still in the newer ones.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .places import BUILD

LIBRARIES = ("libfuse2", "libcurl3-gnutls", "libglib2.0-0")
"""What the package depends on, but for the C library."""

LAST_WITH_IT = (
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bullseye main\n"
)


class Missing(Exception):
    """It cannot be had; the text says why."""


def curlftpfs():
    """The program, and the folder of the libraries that this machine lacks ("": none)."""
    if installed := shutil.which("curlftpfs"):
        return installed, ""
    if not shutil.which("apt-get"):
        raise Missing("it is not installed, and this is not a Debian")
    folder = BUILD / "curlftpfs"
    program = folder / "usr" / "bin" / "curlftpfs"
    if not program.exists():
        try:
            unpack("curlftpfs", folder)
        except Missing:
            unpack("curlftpfs", folder, apart=lists_apart())
    libraries = folder / "libraries"
    if lacking(program, libraries):
        for package in LIBRARIES:
            unpack(package, libraries)
    if still := lacking(program, libraries):
        raise Missing(f"it needs {' '.join(still)}")
    return str(program), library_path(libraries)


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Missing((done.stdout.strip().splitlines() or [f"{command[0]} fails"])[-1])


def unpack(package, folder, apart=()):
    """Downloads a package with the machine's package lists, or those `apart`, and unpacks it."""
    downloads = BUILD / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    run("apt-get", "--quiet", "-o", "APT::Sandbox::User=root", *apart, "download", package, cwd=downloads)
    for archive in downloads.glob(f"{package}_*.deb"):
        run("dpkg", "-x", archive, folder)


def lists_apart():
    """Package lists of the last Debian that has it; the options that make apt-get use them."""
    folder = BUILD / "debian-11"
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(LAST_WITH_IT)
    settings = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", "--quiet", *options, "update")
    return options


def library_path(folder):
    """The folders with shared libraries, for LD_LIBRARY_PATH."""
    return ":".join(sorted({str(path.parent) for path in Path(folder).rglob("*.so.*")}))


def lacking(program, libraries):
    """The shared libraries that the loader does not find."""
    environment = dict(os.environ, LD_LIBRARY_PATH=library_path(libraries))
    listing = subprocess.run(["ldd", program], env=environment, stdout=subprocess.PIPE, text=True).stdout
    return [line.split()[0] for line in listing.splitlines() if "not found" in line]
