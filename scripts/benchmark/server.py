"""The FTP servers that the work is done against: one of `scripts/test-servers`, without TLS and with it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from .places import TEST_SERVERS

PORT, SECURE_PORT = 2121, 2122
"""Any ports would do: the network is the benchmark's own."""

SECURE = "-explicit"
"""What makes a server's name that of the one with TLS."""


def fetch(name):
    """Gets the server's program, while there is still a way to the package archives."""
    done = subprocess.run([TEST_SERVERS, "get", name])
    if done.returncode != 0:
        sys.exit(done.returncode)


class Server:
    """A running server. `authority`: who has signed its certificate; None without TLS."""

    EMPTY = "empty"
    """A file in its root."""

    def __init__(self, name, port, network, run, root):
        answer = subprocess.run(
            [*network.server_prefix, TEST_SERVERS, "start", name, "--run", run, "--root", root, "--port", str(port)],
            env=dict(os.environ, TEST_SERVERS_HOST=network.address),
            stdout=subprocess.PIPE,
            text=True,
        )
        if answer.returncode != 0:
            sys.exit(answer.returncode)
        found = json.loads(answer.stdout)[0]
        self.name = name
        self.host, self.port, self.user, self.password = found["host"], found["port"], found["user"], found["password"]
        self.root = Path(found["root"])
        self.authority = found.get("ca")
        (self.root / self.EMPTY).touch()
        owner = self.root.stat()
        self.owner = owner.st_uid, owner.st_gid

    @property
    def url(self):
        """As every program knows it: it does not say whether there is TLS."""
        return f"ftp://{quote(self.user)}:{quote(self.password)}@{self.host}:{self.port}/"
