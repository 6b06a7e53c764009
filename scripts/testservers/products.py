"""How each of the four servers is configured and started.

What all of them do alike: one user with a password, its files in one root, every permission inside it, no limit that a
test would meet by accident, names as bytes, dot files shown, times in UTC, the process in the foreground. With TLS it is
required for login and data; vsftpd and ProFTPD require that data connections resume a session, vsftpd also that uploads
end in order.
"""

import grp
import os
import pwd
import sys

from . import packages
from .settings import PASSIVE_PORTS, PASSWORD, PASSWORD_HASH, REPOSITORY, USER, session_ids

FIRST_PORT, LAST_PORT = PASSIVE_PORTS

VSFTPD = "vsftpd", "usr/sbin/vsftpd"
PROFTPD = "proftpd-core", "usr/sbin/proftpd"
PROFTPD_TLS = "proftpd-mod-crypto", "usr/lib/proftpd/mod_tls.so"
PURE_FTPD = "pure-ftpd", "usr/sbin/pure-ftpd"
"""Debian packages, each with the file in it that is needed."""

PYFTPDLIB = "pyftpdlib==2.2.0", "pyftpdlib"
PYOPENSSL = "pyOpenSSL==24.2.1", "OpenSSL"
"""Packages of PyPI, each with its module."""

PARTS = {
    "vsftpd": [(packages.debian_package, VSFTPD)],
    "proftpd": [(packages.debian_package, PROFTPD), (packages.debian_package, PROFTPD_TLS)],
    "pure-ftpd": [(packages.debian_package, PURE_FTPD)],
    "pyftpdlib": [(packages.python_package, PYFTPDLIB), (packages.python_package, PYOPENSSL)],
    "embedded": [],
}
"""What each product is made of, with TLS and without."""


def get(product):
    """Has everything there that the product needs, from the network if need be."""
    for way, part in PARTS[product]:
        way(*part)


def vsftpd(server):
    """vsftpd 3. It knows users only through PAM and the system's user table.

    So that nothing is left behind on the machine it runs in a mount namespace of its own, where /etc/passwd, /etc/shadow
    and /etc/pam.d are files of ours. Without root it serves anonymous users only.
    """
    folder, environment = packages.debian_package(*VSFTPD)
    uid, gid = session_ids()
    (server.run / "empty").mkdir(mode=0o755, exist_ok=True)
    server.write(
        "passwd",
        "root:x:0:0:root:/root:/bin/sh\n"
        f"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        f"{USER}:x:{uid}:{gid}:ftpfs tests:{server.root}:/bin/sh\n",
        0o644)
    server.write("shadow", f"root:*:19000::::::\nnobody:*:19000::::::\n{USER}:{PASSWORD_HASH}:19000::::::\n")
    (server.run / "pam.d").mkdir(exist_ok=True)
    # `nodelay`: a wrong password costs two seconds otherwise.
    server.write(
        "pam.d/ftpfs-tests", "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n",
        0o644)
    listen = f"listen_ipv6=YES\nlisten_address6={server.host}" if server.family == 6 else f"listen=YES\nlisten_address={server.host}"
    tls = "" if server.tls == "off" else f"""\
ssl_enable=YES
implicit_ssl={"YES" if server.tls == "implicit" else "NO"}
rsa_cert_file={server.certificates.server}
rsa_private_key_file={server.certificates.key}
force_local_logins_ssl=YES
force_local_data_ssl=YES
ssl_ciphers=HIGH
require_ssl_reuse=YES
strict_ssl_read_eof=YES
debug_ssl=YES
"""
    configuration = server.write("vsftpd.conf", f"""\
{listen}
listen_port={server.port}
background=NO
anonymous_enable=NO
local_enable=YES
pam_service_name=ftpfs-tests
check_shell=NO
tcp_wrappers=NO
nopriv_user=nobody
secure_chroot_dir={server.run}/empty
chroot_local_user=YES
allow_writeable_chroot=YES
local_root={server.root}
local_umask=022
file_open_mode=0666
write_enable=YES
chmod_enable=YES
mdtm_write=YES
use_localtime={"YES" if server.zone else "NO"}
max_per_ip={server.connections}
max_clients=200
pasv_min_port={FIRST_PORT}
pasv_max_port={LAST_PORT}
local_max_rate={server.rate}
idle_session_timeout=600
data_connection_timeout=120
delay_failed_login=0
max_login_fails=3
xferlog_enable=YES
log_ftp_protocol=YES
syslog_enable=NO
vsftpd_log_file={server.protocol_log}
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
{tls}""")
    # FUSE mounts that are there now would live on in the namespace after the machine's umount, and keep their programs
    # waiting.
    script = """
        awk '{for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) ~ /^fuse/) print $5}' /proc/self/mountinfo |
            while read -r path; do umount --lazy "$(printf '%b' "$path")"; done
        mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow &&
            mount --bind "$1/pam.d" /etc/pam.d && exec "$2" "$3"
    """
    namespace = ["unshare", "--mount", "--propagation", "private"]
    binary = folder / "usr/sbin/vsftpd"
    return [*namespace, "--", "sh", "-c", script, "vsftpd", str(server.run), str(binary), str(configuration)], environment


def proftpd(server):
    """ProFTPD 1.3 with its own password file."""
    folder, environment = packages.debian_package(*PROFTPD)
    uid, gid = session_ids()
    as_root = os.geteuid() == 0
    # ProFTPD wants names here; the login gives root's sessions the number from the user file.
    owner = "" if as_root else f"User {pwd.getpwuid(uid).pw_name}\nGroup {grp.getgrgid(gid).gr_name}"
    users = server.write("users", f"{USER}:{PASSWORD_HASH}:{uid}:{gid}:ftpfs tests:{server.root}:/bin/sh\n")
    groups = server.write("groups", f"{USER}:x:{gid}:{USER}\n")
    tls = "" if server.tls == "off" else f"""\
ModulePath {packages.debian_package(*PROFTPD_TLS)[0] / "usr/lib/proftpd"}
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 {"" if server.newest == "tls12" else "TLSv1.3"}
TLSECCertificateFile {server.certificates.server}
TLSECCertificateKeyFile {server.certificates.key}
TLSCACertificateFile {server.certificates.authority}
TLSLog {server.tls_log}
{"TLSOptions UseImplicitSSL" if server.tls == "implicit" else ""}
TLSVerifyClient off
"""
    digest = f"""\
ModulePath {folder / "usr/lib/proftpd"}
LoadModule mod_digest.c
DigestEngine on
DigestOptions NoTransferCache
"""
    configuration = server.write("proftpd.conf", f"""\
{digest}{tls}ServerName "ftpfs tests"
ServerType standalone
DefaultAddress {server.host}
SocketBindTight on
Port {server.port}
UseIPv6 {"on" if server.family == 6 else "off"}
{owner}
ControlsEngine off
PidFile {server.run}/proftpd.pid
ScoreboardFile {server.run}/scoreboard
DelayEngine off
SystemLog {server.log}
ExtendedLog {server.protocol_log} ALL commands
LogFormat commands "%t [%P] \\"%r\\" %s"
TransferLog none
WtmpLog off
AuthPAM off
AuthOrder mod_auth_file.c
AuthUserFile {users}
AuthGroupFile {groups}
RequireValidShell off
UseFtpUsers off
UseReverseDNS off
{"DefaultRoot ~" if as_root else ""}
MaxInstances 200
MaxClientsPerHost {server.connections} "Sorry, the maximum number of clients (%m) from your host are already connected."
MaxLoginAttempts 3
TimeoutIdle 600
TimeoutNoTransfer 600
TimeoutStalled 600
{f"TransferRate APPE,RETR,STOR {server.rate / 1024:.2f}" if server.rate else ""}
PassivePorts {FIRST_PORT} {LAST_PORT}
UseEncoding off
TimesGMT {"off" if server.zone else "on"}
Umask 022 022
AllowOverwrite on
AllowRetrieveRestart on
AllowStoreRestart on
DefaultTransferMode binary
<Global>
  <Limit ALL SITE_CHMOD>
    AllowAll
  </Limit>
  {"<Limit MLSD MLST>" if server.refuses_mlsd else "<Limit NONE>"}
    DenyAll
  </Limit>
</Global>
""")
    return [str(folder / "usr/sbin/proftpd"), "--nodaemon", "--quiet", "--config", str(configuration)], environment


def pure_ftpd(server):
    """Pure-FTPd 1.0 with a user database of its own. It writes to syslog only; transfers are in `log.transfers`."""
    folder, environment = packages.debian_package(*PURE_FTPD)
    uid, gid = session_ids()
    # Written by hand: `pure-pw useradd` would choose an argon2 hash that costs seconds at every login.
    users = server.write("users", f"{USER}:{PASSWORD_HASH}:{uid}:{gid}::{server.root}/./::::::::::::\n")
    database = server.run / "users.pdb"
    packages.quiet(folder / "usr/bin/pure-pw", "mkdb", database, "-f", users)
    return [
        str(folder / "usr/sbin/pure-ftpd"),
        "--bind", f"{server.host},{server.port}",
        f"--ipv{server.family}only",
        # 3: neither logins nor data in the clear.
        *(["--tls", "3", "--certfile", str(server.certificates.both)] if server.tls == "explicit" else []),
        "--chrooteveryone",
        "--noanonymous",
        "--dontresolve",
        "--verboselog",
        "--login", f"puredb:{database}",
        "--minuid", "1",
        "--maxclientsnumber", "200",
        "--maxclientsperip", str(server.connections),
        "--maxidletime", "10",
        "--passiveportrange", f"{FIRST_PORT}:{LAST_PORT}",
        "--umask", "133:022",
        "--displaydotfiles",
        "--limitrecursion", f"{server.listing_limit}:50",
        "--maxdiskusagepct", "100",
        *(["--userbandwidth", str(max(1, server.rate // 1024))] if server.rate else []),
        "--pidfile", str(server.run / "pure-ftpd.pid"),
        "--altlog", f"w3c:{server.log}.transfers",
    ], environment


def pyftpdlib(server):
    """pyftpdlib, in a Python process of ours (`serve_pyftpdlib.py`)."""
    folders = [packages.python_package(*PYFTPDLIB)]
    secure = []
    if server.tls != "off":
        folders.append(packages.python_package(*PYOPENSSL))
        secure = [server.tls, str(server.certificates.server), str(server.certificates.key), str(server.tls_log)]
    uid, gid = session_ids()
    program = REPOSITORY / "scripts" / "testservers" / "serve_pyftpdlib.py"
    path = os.pathsep.join(str(folder) for folder in folders)
    environment = dict(os.environ, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
    return [
        sys.executable, str(program), server.host, str(server.port), str(FIRST_PORT), str(LAST_PORT), str(server.root), USER, PASSWORD,
        str(uid), str(gid), str(server.connections), str(server.rate), *secure,
    ], environment


def embedded(server):
    """The server of `ftpfs serve`: not one of the four real ones, started only when named. It lets everybody in."""
    program = os.environ.get("FTPFS", str(REPOSITORY / ".build" / "debug" / "ftpfs"))
    secure = []
    if server.tls != "off":
        files = ["--certificate", str(server.certificates.server), "--key", str(server.certificates.key)]
        secure = ["--tls", server.tls, *files]
    command = [program, "serve", str(server.root), "--listen", server.host, "--port", str(server.port), *secure]
    return command, dict(os.environ)


REAL = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"]

PRODUCTS = {"vsftpd": vsftpd, "proftpd": proftpd, "pure-ftpd": pure_ftpd, "pyftpdlib": pyftpdlib, "embedded": embedded}
"""Name on the command line → what prepares the server and returns its command line and environment."""

TLS = {
    "vsftpd": ["off", "explicit", "implicit"],
    "proftpd": ["off", "explicit", "implicit"],
    "pure-ftpd": ["off", "explicit"],
    "pyftpdlib": ["off", "explicit", "implicit"],
    "embedded": ["off", "explicit", "implicit"],
}
"""Which product uses TLS in which ways."""

TLS_LOGS = {
    "vsftpd": ("log.protocol", r"\[ftpfs\] DEBUG: .*SSL version: \S+ .*, reused,", r"\[ftpfs\] DEBUG: .*SSL version: \S+ .*, not reused,"),
    "proftpd": ("log.tls", r"client reused TLS session for data connection", r"client did not reuse TLS session"),
    "pure-ftpd": (None, None, None),
    "pyftpdlib": ("log.tls", r"^data \S+ resumed$", r"^data \S+ new$"),
    "embedded": (None, None, None),
}
"""Where each writes down the handshakes of data connections: the file, and the patterns of a line for one that resumed a
session and of one that did not. Pure-FTPd and `ftpfs serve` tell nobody."""

NEED_ROOT = {
    "vsftpd": "it has local users only when it can change to them",
    "pure-ftpd": "it refuses every user when it cannot change to them",
}
"""Servers that an ordinary user cannot run, and why."""
