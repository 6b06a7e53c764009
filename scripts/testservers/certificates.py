"""A certificate authority for the tests, and the certificate of all servers, made by the `openssl` command.

In the run folder's `tls`: `ca.pem` is what clients trust; `server.pem` and `server.key` belong to the servers.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .packages import Missing, quiet
from .settings import HOST

DAYS = "3650"
"""How long they are good for. The folder may stay where it is for long; nobody trusts them but these tests."""

NAMES = ",".join(["DNS:localhost", *(f"IP:{address}" for address in dict.fromkeys(["127.0.0.1", "::1", HOST]))])


@dataclass(frozen=True)
class Certificates:
    folder: Path

    @property
    def authority(self):
        return self.folder / "ca.pem"

    @property
    def server(self):
        return self.folder / "server.pem"

    @property
    def key(self):
        return self.folder / "server.key"

    @property
    def both(self):
        """Key and certificate in one file, as Pure-FTPd wants them."""
        return self.folder / "both.pem"

    @property
    def only_tls12(self):
        """OpenSSL's configuration (OPENSSL_CONF) for a server that speaks nothing newer."""
        return self.folder / "tls12.cnf"


def certificates(run):
    """Those of a run folder; made at the first call."""
    found = Certificates(Path(run) / "tls")
    # The last one that is made, so that a folder which was interrupted, or is from an older version, is made again.
    if found.only_tls12.exists():
        return found
    if not shutil.which("openssl"):
        raise Missing("servers with TLS need the program openssl, for their certificates")
    found.folder.mkdir(parents=True, exist_ok=True)
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", DAYS]
    with tempfile.TemporaryDirectory() as scratch:
        # By default openssl would add what the machine's own configuration says.
        empty = Path(scratch) / "openssl.cnf"
        empty.write_text("[req]\ndistinguished_name = names\n[names]\n")
        authority_key = Path(scratch) / "ca.key"
        quiet(
            *new, "-config", empty, "-subj", "/CN=ftpfs test authority", "-keyout", authority_key, "-out", found.authority,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-addext", "subjectKeyIdentifier=hash")
        quiet(
            *new, "-config", empty, "-subj", "/CN=ftpfs test server", "-keyout", found.key, "-out", found.server,
            "-CA", found.authority, "-CAkey", authority_key, "-addext", f"subjectAltName={NAMES}",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
            "-addext", "authorityKeyIdentifier=keyid")
    found.key.chmod(0o600)
    found.both.touch(mode=0o600)
    found.both.write_bytes(found.key.read_bytes() + found.server.read_bytes())
    found.only_tls12.write_text(
        "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = default\n[default]\nMaxProtocol = TLSv1.2\n")
    return found
