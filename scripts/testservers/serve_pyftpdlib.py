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


def secure(start, certificate, key, log):
    """The handler with TLS, required for login and data. Imported only here: it needs a package more."""
    from OpenSSL._util import lib
    from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler

    lines = open(log, "a", buffering=1)

    class SecureData(TLS_DTPHandler):
        """Writes down whether each data connection has resumed a session."""

        def handle_ssl_established(self):
            super().handle_ssl_established()
            # The package has no name for this call of OpenSSL's.
            word = "resumed" if lib.SSL_session_reused(self.socket._ssl) else "new"
            print(f"data {self.socket.get_protocol_version_name()} {word}", file=lines)

    class SecureHandler(Handler, TLS_FTPHandler):
        certfile, keyfile = certificate, key
        tls_control_required = tls_data_required = True
        dtp_handler = SecureData

    class ImplicitHandler(SecureHandler):
        def handle(self):
            self.secure_connection(self.ssl_context)
            super().handle()

    return SecureHandler if start == "explicit" else ImplicitHandler


def main():
    """host, control port, first and last passive port, root, user, password, uid, gid, connections per client, bytes per
    second, and for TLS: explicit or implicit, certificate, key, log
    """
    host, port, first, last, root, user, password, uid, gid, connections, rate, *tls = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(message)s")
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, root, perm="elradfmwMT")
    handler = secure(*tls) if tls else Handler
    Handler.authorizer = authorizer
    Handler.passive_ports = range(int(first), int(last) + 1)
    if int(rate):
        Handler.dtp_handler = ThrottledDTPHandler
        ThrottledDTPHandler.read_limit = ThrottledDTPHandler.write_limit = int(rate)
    server = FTPServer((host, int(port)), handler)
    server.max_cons = 200
    server.max_cons_per_ip = int(connections)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    os.umask(0o022)
    server.serve_forever()


main()
