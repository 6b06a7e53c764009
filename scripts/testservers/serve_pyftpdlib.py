"""pyftpdlib as a test server: serves one user one directory until it is ended. Started by products.py."""

# Loaded while this is still root: the library's user may not be able to read the interpreter's folder. `strptime` loads
# the first of the two when it is first called.
import _strptime  # noqa: F401
import encodings.idna  # noqa: F401
import logging
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, ThrottledDTPHandler
from pyftpdlib.servers import FTPServer


class Handler(FTPHandler):
    """Logs every command; takes names as whatever bytes they are."""

    banner = "pyftpdlib ready"
    use_gmt_times = True
    auth_failed_timeout = 0
    timeout = 600
    # `surrogateescape` keeps bytes that are not UTF-8; the library's own choice, "replace", would rename the files.
    unicode_errors = "surrogateescape"


def main():
    """host, control port, first and last passive port, root, user, password, uid, gid, connections per client"""
    host, port, first, last, root, user, password, uid, gid, connections, rate = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(message)s")
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, root, perm="elradfmwMT")
    Handler.authorizer = authorizer
    Handler.passive_ports = range(int(first), int(last) + 1)
    if int(rate):
        Handler.dtp_handler = ThrottledDTPHandler
        ThrottledDTPHandler.read_limit = ThrottledDTPHandler.write_limit = int(rate)
    server = FTPServer((host, int(port)), Handler)
    server.max_cons = 200
    server.max_cons_per_ip = int(connections)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    os.umask(0o022)
    server.serve_forever()


main()
