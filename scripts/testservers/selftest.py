"""Checks that a server serves as the tests need it, with Python's own FTP client: one line for each point."""

import ftplib
import os
import re
import ssl
import time
from pathlib import Path

from .client import PlainClient, SecureClient, connect

ENTRIES = 20_000
"""More names than any test puts into one directory."""

REQUIRE_RESUMPTION = {"vsftpd", "proftpd"}
"""Those that refuse a data connection which does not resume a session."""


def selftest(server):
    """Whether the server passed; prints what did not."""
    root = Path(server["root"])
    client = connect(server)
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

    # How a server is reached makes no difference to these, and Pure-FTPd thinks for seconds about each.
    is_plain = server["tls"] == "off" and server["family"] == 4
    if is_plain:
        point("a wrong password is refused", refused(lambda: connect(server, password="wrong horse")))
        point("an unknown user is refused", refused(lambda: connect(server, user="somebody")))

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

    if is_plain:
        big_directory(root, client, point)
    if server["tls"] != "off":
        secure(server, client, point, refused)

    others = many_clients(server, point, refused) if is_plain else []
    for other in [*others, client]:
        other.close()
    for failure in failures:
        print(f"{server['name']}: FAILED: {failure}")
    if not failures:
        print(f"{server['name']}: serves as the tests need it")
    return not failures


def many_clients(server, point, refused):
    """As many clients as the server shall let in, and one more; returns them."""
    others = []
    try:
        while len(others) + 1 < min(server["connections"], 20):
            others.append(connect(server))
        point("the clients that shall fit do", True)
        if server["connections"] < 20:
            point("one client more is refused", refused(lambda: connect(server)))
    except (OSError, EOFError, ftplib.Error) as reason:
        point(f"the clients that shall fit do ({len(others) + 1}: {reason})", False)
    return others


def big_directory(root, client, point):
    """Many names."""
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


def secure(server, client, point, refused):
    """The points of a server with TLS."""

    def lines(pattern):
        log = server["tls_log"] and Path(server["tls_log"]).read_text(errors="replace")
        return len(re.findall(pattern, log, re.MULTILINE)) if log else None

    if server["tls"] == "explicit":
        plain = PlainClient(server)
        point("a login in the clear is refused", refused(lambda: plain.login(server["user"], server["password"])))
        plain.close()
    client.prot_p()
    data_in_the_clear = lambda: (client.prot_c(), client.names())  # noqa: E731
    point("data in the clear are refused", refused(data_in_the_clear))
    client.prot_p()

    both = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    version = client.sock.version()
    point(f"the newest version is {version}", version == ("TLSv1.2" if server["newest"] == "tls12" else "TLSv1.3"))
    for newest in both[:1] if server["newest"] == "tls12" else both:
        other = SecureClient(server, newest=newest)
        other.login(server["user"], server["password"])
        before = lines(server["tls_resumed"] or "")
        other.put("STOR", "file", b"secret")
        other.names()
        if before is not None:
            point(f"the log tells the two data connections that resumed a {newest.name} session", lines(server["tls_resumed"]) == before + 2)
        before = lines(server["tls_not_resumed"] or "")
        other.resumes = False
        try:
            is_refused = refused(lambda: other.put("STOR", "file", b"secret"))
        except OSError:
            # The reply would say it too, but the data connection breaks first.
            is_refused = True
        point(f"without resumption data are {'refused' if server['product'] in REQUIRE_RESUMPTION else 'taken'}, {newest.name}",
              is_refused == (server["product"] in REQUIRE_RESUMPTION))
        if before is not None:
            point(f"the log tells the one that did not ({newest.name})", lines(server["tls_not_resumed"]) == before + 1)
        other.close()
    client.delete("file")
