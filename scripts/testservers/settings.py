"""What all the test servers have in common."""

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
STORE = REPOSITORY / ".build" / "servers"
"""Where everything is unpacked and where, unless told otherwise, the servers run. `rm -r` on it is always safe."""

USER = "ftpfs"
PASSWORD = "correct horse"
PASSWORD_HASH = (
    "$6$ftpfstestservers$whP/RoGqcbOOMtjNOSaotadwXf94FZf6NWLeIPDro2Pv9ikbp4.xOS3Z7PFohTiCL9EReE.Wmfvu8RMJgPygC1"
)
"""`openssl passwd -6 -salt ftpfstestservers 'correct horse'`; a constant, because not every machine has that tool."""

ANONYMOUS = "anonymous"
"""User and password for the server of `ftpfs serve`."""

HOST = os.environ.get("TEST_SERVERS_HOST", "127.0.0.1")
PASSIVE_PORTS = (49152, 65534)
"""RFC 6335's dynamic ports. All servers share the range; each tries another port when one is taken."""

SERVER_UID = 2121
"""Who the sessions run as and own the files, when root starts the servers: nobody's number, so that permissions count."""


def session_ids():
    """The user and group that the sessions run as: an own number for root, else whoever starts the servers."""
    if os.geteuid() == 0:
        return SERVER_UID, SERVER_UID
    return os.geteuid(), os.getegid()


@dataclass
class Settings:
    """One server as it shall run."""

    name: str
    host: str
    port: int
    root: Path
    run: Path
    """The server's own folder for its configuration, log and state."""
    connections: int
    """How many control connections one client address may have."""
    rate: int = 0
    """Bytes per second of one transfer; 0: as fast as it goes."""
    tls: str = "off"
    """off, explicit or implicit."""
    newest: str = ""
    """tls12: no newer version of TLS."""
    family: int = 4
    certificates: "object" = None
    """The files for TLS (`certificates.Certificates`); None without."""
    zone: str | None = None
    """The time zone in which it lists times where it can; `None`: UTC."""
    listing_limit: int = 200_000
    """How many entries Pure-FTPd shows of a directory."""
    refuses_mlsd: bool = False
    """Whether ProFTPD announces MLSD and refuses it."""

    @property
    def log(self):
        return self.run / "log"

    @property
    def protocol_log(self):
        """Commands and replies, where the server writes them down apart from its log."""
        return self.run / "log.protocol"

    @property
    def tls_log(self):
        """Where the handshakes are written down."""
        return self.run / "log.tls"

    def write(self, name, text, mode=0o600):
        """Writes a file of the server's folder and returns its path."""
        path = self.run / name
        path.touch(mode=mode)
        path.chmod(mode)
        path.write_text(text)
        return path
