"""What runs, written down: `servers.json` in the run folder."""

import ftplib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from . import processes
from .certificates import certificates
from .client import connect
from .packages import Missing
from .products import PRODUCTS, TLS_LOGS, get
from .settings import ANONYMOUS, PASSWORD, USER, Settings, session_ids


class Servers:
    """The servers of one run folder."""

    def __init__(self, run):
        self.run = Path(run).resolve()
        self.file = self.run / "servers.json"

    def load(self):
        """Name → what `start` printed, for each server that was started here."""
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def save(self, servers):
        self.run.mkdir(parents=True, exist_ok=True)
        temporary = self.file.with_suffix(".new")
        temporary.write_text(json.dumps(servers, indent=2) + "\n")
        temporary.rename(self.file)

    def is_running(self, server):
        return processes.start_time(server["pid"]) == server["started"]

    def start(self, wanted, connections, rate=0, port=None, zone=None, listing_limit=200_000, refuses_mlsd=False):
        """Starts servers at once and returns their descriptions when each lets the user log in.

        `wanted` has pairs of a `Name` and the server's root. A server that runs already with the same root and limits is
        left as it is. One that ran before gets its old port again, unless told otherwise, so that clients find it.
        """
        def begin(name, root):
            return self._begin(name, root, connections, rate, port, zone, listing_limit, refuses_mlsd)

        # Not between the choice of a free port and its use: somebody else may have taken it by then.
        for name, _ in wanted:
            get(name.product)
        known = self.load()
        begun = [begin(*one) for one in wanted]
        try:
            return [
                self._when_ready(server, lambda one=one: begin(*one), keeps_port=str(one[0]) in known)
                for server, one in zip(begun, wanted)
            ]
        except Missing:
            for name, _ in wanted:
                self.stop(str(name))
            raise

    def _when_ready(self, begun, again, keeps_port):
        """Waits until a server that was begun lets the user log in; begins it again when it does not."""
        for tries in range(STARTS):
            server, child, command = again() if tries else begun
            if child is None or is_ready(server, child):
                return server
            log = Path(server["log"]).read_text(errors="replace")[-2000:].strip()
            reason = f"{server['name']} did not start; command: {' '.join(command)}\n{log}"
            print(f"test-servers: {reason}", file=sys.stderr)
            self.stop(server["name"])
            if not keeps_port:
                self.forget(server["name"])
        raise Missing(reason)

    def _begin(self, name, root, connections, rate, port, zone, listing_limit, refuses_mlsd):
        """Starts the process of a server; it need not answer yet. Returns no process for one that runs already."""
        root.mkdir(parents=True, exist_ok=True)
        uid, gid = session_ids()
        if os.geteuid() == 0:
            os.chown(root, uid, gid)
            require_passage(root)
        text = str(name)
        old = self.load().get(text)
        if old and self.is_running(old):
            new = {**old, "root": str(root), "connections": connections, "rate": rate, "port": port or old["port"], "zone": zone, "listing_limit": listing_limit, "refuses_mlsd": refuses_mlsd}
            if old == new:
                return old, None, []
        if old:
            self.stop(text)
            port = port or old["port"]
        port = port or free_port(name.host)
        run = self.run / text
        run.mkdir(parents=True, exist_ok=True)
        files = certificates(self.run) if name.tls != "off" else None
        settings = Settings(
            text, name.host, port, root, run, connections, rate, name.tls, name.newest, name.family, files, zone, listing_limit,
            refuses_mlsd)
        command, environment = PRODUCTS[name.product](settings)
        if zone:
            environment = {**environment, "TZ": zone}
        if name.newest == "tls12":
            environment = {**environment, "OPENSSL_CONF": str(files.only_tls12)}
        with open(settings.log, "ab") as log:
            child = subprocess.Popen(
                command, env=environment, cwd=run, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        user, password = (ANONYMOUS, ANONYMOUS) if name.product == "embedded" else (USER, PASSWORD)
        server = {
            "name": text, "product": name.product, "host": name.host, "port": port, "user": user, "password": password,
            "root": str(root), "pid": child.pid, "log": str(settings.log), "protocol_log": str(settings.protocol_log),
            "tls": name.tls, "newest": name.newest, "family": name.family, "connections": connections, "rate": rate,
            "zone": zone, "listing_limit": listing_limit, "refuses_mlsd": refuses_mlsd,
            "started": processes.start_time(child.pid),
        }
        if files:
            log, resumed, full = TLS_LOGS[name.product]
            server |= {
                "ca": str(files.authority), "tls_log": log and str(run / log), "tls_resumed": resumed, "tls_not_resumed": full,
            }
        self.save({**self.load(), text: server})
        (run / "pid").write_text(f"{child.pid}\n")
        return server, child, command

    def stop(self, name, first=signal.SIGTERM):
        """Ends a server and all its sessions, exactly those; it is forgotten, its port is not."""
        server = self.load().get(name)
        if server:
            processes.end(server["pid"], server["started"], first)
            (self.run / name / "pid").unlink(missing_ok=True)

    def signal(self, name, number):
        """Sends a signal to a server and all its sessions."""
        server = self.load().get(name)
        if not server or not self.is_running(server):
            raise Missing(f"{name} does not run")
        processes.send(processes.with_descendants(server["pid"]), number)

    def forget(self, name):
        """The next one of this name gets another port."""
        self.save({other: server for other, server in self.load().items() if other != name})

    def forget_all(self):
        self.file.unlink(missing_ok=True)


STARTS = 3
"""How often a server is started: a port that was free may be somebody's when the server comes to it."""

LOGIN = 60
"""Seconds until a server that was started lets the user in: a fraction of one, on a machine that has time for it."""


def is_ready(server, child):
    """Waits until a server that was started lets the user in, or ends; returns whether it does."""
    return processes.wait_until(lambda: child.poll() is not None or can_log_in(server), LOGIN) and child.poll() is None


def free_port(host):
    """A port that nothing listens on now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def require_passage(root):
    """The sessions are not root: every folder above the root must let them through."""
    for folder in root.parents:
        if not folder.stat().st_mode & 0o001:
            raise Missing(f"the servers' user cannot pass {folder} (mode {folder.stat().st_mode & 0o777:o}): choose a --root elsewhere")


def can_log_in(server):
    """Whether the server takes the user and answers."""
    try:
        with connect(server, timeout=5) as client:
            client.pwd()
            return True
    except (OSError, EOFError, ftplib.Error):
        return False


def default_root(name, run):
    """Where a server's files are when nobody says: beside its log, or in /tmp where the sessions cannot get there."""
    root = run / name / "files"
    if os.geteuid() == 0:
        try:
            run.mkdir(parents=True, exist_ok=True)
            require_passage(root.parent.parent / "x")
        except Missing:
            root = Path("/tmp") / "ftpfs-test-servers" / name
            print(f"test-servers: {name} serves {root}: its user cannot get into {run}", file=sys.stderr)
    return root
