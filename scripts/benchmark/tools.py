"""The programs that are compared: mounts, each started in the foreground with its own defaults, and curl."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import quote


class Mounter:
    """A program that mounts an FTP server."""

    def __init__(self, name, program, version):
        self.name, self.program, self.version = name, program, version

    def command(self, server, mountpoint, cache, option):
        """The command line, and what it needs in the environment.

        `cache`: an empty folder for its files. `option`: a mount option of ftpfs that the work is about, or "".
        """
        raise NotImplementedError


class Ftpfs(Mounter):
    """`options`: mount options to measure it with, besides its defaults."""

    def __init__(self, name, program, version, options):
        super().__init__(name, program, version)
        self.options = options

    def knows(self, option):
        """Whether its help tells of a mount option."""
        done = subprocess.run([self.program, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return re.search(rf"^  {re.escape(option)}\b", done.stdout, re.MULTILINE) is not None

    def command(self, server, mountpoint, cache, option):
        secure = [f"tls=explicit,tls_ca={server.authority}"] if server.authority else []
        options = [f"spool_dir={cache}", *secure, *filter(None, [self.options, option])]
        return [self.program, server.url, mountpoint, "-f", "-o", ",".join(options)], {}


class Rclone(Mounter):
    """`mode`: what `--vfs-cache-mode` is set to.

    Its pause of 5 s before a cached file is sent is turned off: it would only be added to every time.
    """

    def __init__(self, name, program, version, mode):
        super().__init__(name, program, version)
        self.mode = mode

    def command(self, server, mountpoint, cache, option):
        hidden = subprocess.run(
            [self.program, "obscure", server.password], stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()
        options = {
            "config": "/dev/null",
            "cache-dir": cache,
            "vfs-cache-mode": self.mode,
            "vfs-write-back": "0s",
        }
        if server.authority:
            options |= {"ftp-explicit-tls": "true", "ca-cert": server.authority}
        words = [f"--{name}={value}" for name, value in options.items()]
        environment = {
            "RCLONE_FTP_HOST": server.host,
            "RCLONE_FTP_PORT": str(server.port),
            "RCLONE_FTP_USER": server.user,
            "RCLONE_FTP_PASS": hidden,
        }
        return [self.program, "mount", ":ftp:", mountpoint, *words], environment


class Curlftpfs(Mounter):
    def __init__(self, name, program, version, libraries):
        super().__init__(name, program, version)
        self.libraries = libraries

    def command(self, server, mountpoint, cache, option):
        where = f"ftp://{server.host}:{server.port}/"
        secure = f",ssl,cacert={server.authority}" if server.authority else ""
        options = ["-f", "-o", f"user={quote(server.user)}:{server.password}{secure}"]
        environment = {"LD_LIBRARY_PATH": self.libraries} if self.libraries else {}
        return [self.program, where, mountpoint, *options], environment


class Floor(Mounter):
    """A bare FUSE file system, of the server's own folder: no server is asked."""

    def command(self, server, mountpoint, cache, option):
        return [self.program, server.root, mountpoint], {}


class Curl:
    """No mount: how fast the same bytes go without one."""

    name = "curl"

    def __init__(self, program):
        self.program = program
        self.version = version_of(program, "--version")

    def command(self, server, work, has_logged_in):
        """The command line for a work's arguments. It writes the seconds of each transfer.

        `has_logged_in`: an empty file is read first, so that the connection is there when the work begins.
        """
        options = ["--silent", "--show-error", "--fail-early", "--write-out", "%{time_total}\\n"]
        if server.authority:
            options += ["--ssl-reqd", "--cacert", server.authority]
        before = [*options, "-o", "/dev/null", f"{server.url}{server.EMPTY}", "--next"] if has_logged_in else []
        # --disable: no ~/.curlrc.
        return [self.program, "--disable", *before, *options, *work]


def version_of(program, *arguments, environment=None):
    """`curl 7.88.1`: the program's name and the first number in what it says about itself."""
    done = subprocess.run(
        [program, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    number = re.search(r"\d+(\.\d+)+", done.stdout)
    return f"{Path(program).name} {number.group() if number else 'of unknown version'}"


def environment_with(added):
    """The environment of a program under measurement: messages in English, without proxies."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "LC_ALL": "C", **added}
