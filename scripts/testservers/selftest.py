"""Checks that a server serves as the tests need it, with Python's own FTP client: one line for each point."""

import ftplib
import io
import os
import time
from pathlib import Path

ENTRIES = 20_000
"""More names than any test puts into one directory."""


class Client(ftplib.FTP):
    """Names are bytes: Latin-1 maps each byte to one character and back."""

    def __init__(self, server):
        super().__init__(timeout=30, encoding="latin-1")
        self.connect(server["host"], server["port"])
        self.login(server["user"], server["password"])

    def put(self, verb, name, data, rest=None):
        self.storbinary(f"{verb} {name}", io.BytesIO(data), rest=rest)

    def names(self, path=None):
        lines = []
        self.retrlines("LIST -a" if path is None else f"LIST -a {path}", lines.append)
        return [line.split(None, 8)[8] for line in lines if not line.startswith("total")]


def selftest(server):
    """Whether the server passed; prints what did not."""
    root = Path(server["root"])
    client = Client(server)
    failures = []

    def point(description, holds):
        if not holds:
            failures.append(description)

    def refused(action):
        try:
            action()
        except ftplib.Error:
            return True
        return False

    point("a wrong password is refused", refused(lambda: Client({**server, "password": "wrong horse"})))
    point("an unknown user is refused", refused(lambda: Client({**server, "user": "somebody"})))

    # Without 0xFF, which ProFTPD takes for the beginning of a TELNET command (RFC 854), and without the backslash, which
    # Pure-FTPd refuses.
    bytes_name = "b\xfe\x80 #%[]*?;'\"\xe9"
    client.put("STOR", bytes_name, b"bytes")
    point("a name of bytes arrives as it is", (os.fsencode(root) + b"/" + bytes_name.encode("latin-1")) in
          [entry.path for entry in os.scandir(os.fsencode(root))])
    point("a name of bytes is listed as it is", bytes_name in client.names())
    client.delete(bytes_name)
    client.put("STOR", ".dot", b"hidden")
    point("a dot file can be written and is listed", (root / ".dot").exists() and ".dot" in client.names())
    client.delete(".dot")

    client.put("STOR", "file", b"0123456789")
    client.put("APPE", "file", b"abc")
    point("APPE appends", (root / "file").read_bytes() == b"0123456789abc")
    client.put("STOR", "file", b"XY", rest=4)
    point("REST and STOR write at an offset", (root / "file").read_bytes().startswith(b"0123XY"))
    client.sendcmd("SITE CHMOD 600 file")
    point("SITE CHMOD changes the mode", (root / "file").stat().st_mode & 0o777 == 0o600)
    client.put("STOR", "other", b"other")
    client.rename("other", "file")
    point("RNTO replaces", (root / "file").read_bytes() == b"other" and not (root / "other").exists())
    stamp = "20010203040506"
    verb = "MFMT" if "MFMT" in client.sendcmd("FEAT") else "MDTM"
    client.sendcmd(f"{verb} {stamp} file")
    point(f"{verb} sets the time, in UTC", time.strftime("%Y%m%d%H%M%S", time.gmtime((root / "file").stat().st_mtime)) == stamp)
    client.delete("file")

    many = root / "many"
    many.mkdir()
    many.chmod(0o777)
    for number in range(ENTRIES):
        (many / f"entry-{number}").touch()
    client.cwd("many")
    point(f"{ENTRIES} entries are listed", sum(name.startswith("entry-") for name in client.names()) == ENTRIES)
    client.cwd("..")
    for entry in many.iterdir():
        entry.unlink()
    many.rmdir()

    others = []
    try:
        while len(others) + 1 < min(server["connections"], 20):
            others.append(Client(server))
        point("the clients that shall fit do", True)
        if server["connections"] < 20:
            point("one client more is refused", refused(lambda: Client(server)))
    except (OSError, EOFError, ftplib.Error) as reason:
        point(f"the clients that shall fit do ({len(others) + 1}: {reason})", False)
    for other in [*others, client]:
        other.close()
    for failure in failures:
        print(f"{server['name']}: FAILED: {failure}")
    if not failures:
        print(f"{server['name']}: serves as the tests need it")
    return not failures
