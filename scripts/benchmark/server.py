"""The FTP server that the work is done against: one of `scripts/test-servers`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from .places import TEST_SERVERS

PORT = 2121
"""Any port would do: the network is the benchmark's own."""


def fetch(name, run):
    """Gets the server's program, while there is still a way to the package archives: by starting it once."""
    for action in ("start", "stop"):
        done = subprocess.run([TEST_SERVERS, action, name, "--run", run], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(done.returncode)


class Server:
    """A running server."""

    def __init__(self, name, network, run, root):
        answer = subprocess.run(
            [*network.server_prefix, TEST_SERVERS, "start", name, "--run", run, "--root", root, "--port", str(PORT)],
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
        owner = self.root.stat()
        self.owner = owner.st_uid, owner.st_gid

    @property
    def url(self):
        return f"ftp://{quote(self.user)}:{quote(self.password)}@{self.host}:{self.port}/"
