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
from .packages import Missing
from .products import PRODUCTS
from .settings import ANONYMOUS, HOST, PASSWORD, USER, Settings, session_ids


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

    def start(self, name, root, connections, rate=0, port=None, zone=None, listing_limit=200_000, refuses_mlsd=False):
        """Starts a server and returns its description once a login works.

        A server that runs already with the same root and limits is left as it is. One that ran before gets its old port
        again, unless told otherwise, so that clients find it.
        """
        root.mkdir(parents=True, exist_ok=True)
        uid, gid = session_ids()
        if os.geteuid() == 0:
            os.chown(root, uid, gid)
            require_passage(root)
        old = self.load().get(name)
        if old and self.is_running(old):
            wanted = {**old, "root": str(root), "connections": connections, "rate": rate, "port": port or old["port"], "zone": zone, "listing_limit": listing_limit, "refuses_mlsd": refuses_mlsd}
            if old == wanted:
                return old
        if old:
            self.stop(name)
            port = port or old["port"]
        port = port or free_port()
        run = self.run / name
        run.mkdir(parents=True, exist_ok=True)
        settings = Settings(name, port, root, run, connections, rate, zone, listing_limit, refuses_mlsd)
        command, environment = PRODUCTS[name](settings)
        if zone:
            environment = {**environment, "TZ": zone}
        with open(settings.log, "ab") as log:
            child = subprocess.Popen(
                command, env=environment, cwd=run, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        user, password = (ANONYMOUS, ANONYMOUS) if name == "embedded" else (USER, PASSWORD)
        server = {
            "name": name, "host": HOST, "port": port, "user": user, "password": password, "root": str(root),
            "pid": child.pid, "log": str(settings.log), "connections": connections, "rate": rate, "zone": zone,
            "listing_limit": listing_limit, "refuses_mlsd": refuses_mlsd,
            "started": processes.start_time(child.pid),
        }
        self.save({**self.load(), name: server})
        (run / "pid").write_text(f"{child.pid}\n")
        ready = processes.wait_until(lambda: child.poll() is not None or can_log_in(server), 20)
        if not ready or child.poll() is not None:
            self.stop(name)
            log = settings.log.read_text(errors="replace")[-2000:].strip()
            raise Missing(f"{name} did not start; command: {' '.join(command)}\n{log}")
        return server

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

    def forget(self):
        self.file.unlink(missing_ok=True)


def free_port():
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def require_passage(root):
    """The sessions are not root: every folder above the root must let them through."""
    for folder in root.parents:
        if not folder.stat().st_mode & 0o001:
            raise Missing(f"the servers' user cannot pass {folder} (mode {folder.stat().st_mode & 0o777:o}): choose a --root elsewhere")


def can_log_in(server):
    """Whether the server takes the user and answers."""
    try:
        with ftplib.FTP(timeout=5) as client:
            client.connect(server["host"], server["port"])
            client.login(server["user"], server["password"])
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
