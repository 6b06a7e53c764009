"""Python's own FTP client for every test server: in the clear, or with TLS verified and sessions resumed."""

import ftplib
import io
import socket
import ssl


class Names:
    """Names are bytes: Latin-1 maps each byte to one character and back."""

    def put(self, verb, name, data, rest=None):
        self.storbinary(f"{verb} {name}", io.BytesIO(data), rest=rest)

    def names(self, path=None):
        lines = []
        self.retrlines("LIST -a" if path is None else f"LIST -a {path}", lines.append)
        return [line.split(None, 8)[8] for line in lines if not line.startswith("total")]


class PlainClient(Names, ftplib.FTP):
    def __init__(self, server, timeout=30):
        super().__init__(timeout=timeout, encoding="latin-1")
        self.connect(server["host"], server["port"])


class SecureClient(Names, ftplib.FTP_TLS):
    """Every data connection resumes the session of its control connection, unless `resumes` is false."""

    resumes = True

    def __init__(self, server, timeout=30, newest=None):
        context = ssl.create_default_context(cafile=server["ca"])
        if newest:
            context.maximum_version = newest
        super().__init__(context=context, timeout=timeout, encoding="latin-1")
        if server["tls"] == "explicit":
            self.connect(server["host"], server["port"])
            self.auth()
        else:
            self.host, self.port = server["host"], server["port"]
            plain = socket.create_connection((self.host, self.port), timeout)
            self.sock = context.wrap_socket(plain, server_hostname=self.host)
            self.af = self.sock.family
            self.file = self.sock.makefile("r", encoding=self.encoding)
            self.welcome = self.getresp()

    def login(self, user, password):
        ftplib.FTP.login(self, user, password)
        self.prot_p()

    def ntransfercmd(self, command, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, command, rest)
        if self._prot_p:
            connection = self.context.wrap_socket(
                connection, server_hostname=self.host, session=self.sock.session if self.resumes else None)
        return connection, size


def connect(server, timeout=30, user=None, password=None):
    """A client that has logged in."""
    client = (PlainClient if server["tls"] == "off" else SecureClient)(server, timeout)
    try:
        client.login(user or server["user"], password or server["password"])
    except BaseException:
        client.close()
        raise
    return client
