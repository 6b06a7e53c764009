"""A proxy for tests, on loopback: HTTP CONNECT with Basic authentication, and SOCKS 5 with user and password.

    python3 proxy.py http|socks5 [--login USER:PASSWORD] [--map NAME=ADDRESS] [--fault FAULT]
                     [--chaos FILE --seed N --rate P] [--forget FILE]

Prints its port as one line, then one line for each connection that it makes: the host and the port as the client named
them. Names are looked up in the given map first. FAULT is one of FAULTS: what is answered instead of a connection. With --chaos
connections break at random while FILE exists (`chaos.py`). With --forget the connections that there are when FILE comes into
being are forgotten, as an address translator forgets them: nothing passes any more, neither end is told, and new ones work.
"""

import argparse
import base64
import ipaddress
import os
import select
import socket
import struct
import sys
import threading

from chaos import Chaos, pump

FAULTS = {
    "silent": None,
    "forbidden": b"HTTP/1.1 403 Filtered\r\nContent-Length: 3\r\n\r\nno\n",
    "endless": b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"x" * (1 << 20),
    "not-a-proxy": b"220 This is an FTP server\r\n",
    "ruleset": b"\x05\x00" + b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00",
    "hangs-up": b"",
}


class Refused(Exception):
    """The client is told why, in the bytes of the argument."""


def exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("the client has hung up")
        data += piece
    return data


def http(connection, login):
    """Reads the request; returns host, port and what to say when connected."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += exactly(connection, 1)
    lines = request.decode("latin-1").split("\r\n")
    method, place, version = lines[0].split(" ")
    assert method == "CONNECT" and version == "HTTP/1.1" and f"Host: {place}" in lines, lines
    if login:
        wanted = "Proxy-Authorization: Basic " + base64.b64encode(login.encode()).decode()
        if wanted not in lines:
            raise Refused(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n")
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port), b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"


def socks5(connection, login):
    version, count = exactly(connection, 2)
    methods = exactly(connection, count)
    assert version == 5
    wanted = 2 if login else 0
    if wanted not in methods:
        raise Refused(b"\x05\xff")
    connection.sendall(bytes([5, wanted]))
    if login:
        assert exactly(connection, 1) == b"\x01"
        user = exactly(connection, exactly(connection, 1)[0])
        password = exactly(connection, exactly(connection, 1)[0])
        if user + b":" + password != login.encode():
            raise Refused(b"\x01\x01")
        connection.sendall(b"\x01\x00")
    version, command, _, kind = exactly(connection, 4)
    assert version == 5 and command == 1
    if kind == 3:
        host = exactly(connection, exactly(connection, 1)[0]).decode("latin-1")
    else:
        host = str(ipaddress.ip_address(exactly(connection, 4 if kind == 1 else 16)))
    (port,) = struct.unpack("!H", exactly(connection, 2))
    return host, port, b"\x05\x00\x00\x03\x04name\x12\x34"


FAILED = {"http": b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "socks5": b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"}


def copy(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def carry(client, server, switch):
    """Carries bytes both ways until an end has ended, or for as long as the switch is not there."""
    other = {client: server, server: client}
    is_new = os.path.exists(switch)
    while is_new or not os.path.exists(switch):
        # So that the switch is seen in time also where nothing passes.
        for source in select.select([client, server], [], [], 0.05)[0]:
            data = source.recv(1 << 14)
            if not is_new and os.path.exists(switch):
                break
            if not data:
                return
            other[source].sendall(data)
    # Neither socket is ever closed.
    threading.Event().wait()


def serve(connection, options):
    with connection:
        if options.fault:
            if FAULTS[options.fault] is not None:
                connection.recv(1 << 16)
                try:
                    connection.sendall(FAULTS[options.fault])
                except OSError:
                    pass
            else:
                connection.recv(1 << 16)
                while connection.recv(1 << 16):
                    pass
            return
        try:
            host, port, success = {"http": http, "socks5": socks5}[options.kind](connection, options.login)
            if options.chaos and options.chaos.refuses():
                raise ConnectionError("chaos")
            print(host, port, flush=True)
            server = socket.create_connection((options.map.get(host, host), port), timeout=10)
            server.settimeout(None)
        except Refused as refusal:
            connection.sendall(refusal.args[0])
            return
        except ConnectionError:
            connection.sendall(FAILED[options.kind])
            return
        with server:
            if port == options.first_port:
                # The server speaks first: its greeting leaves in the same packet as the proxy's last word.
                success += server.recv(1 << 16)
            connection.sendall(success)
            if options.forget:
                return carry(connection, server, options.forget)
            if options.chaos:
                return pump(connection, server, options.chaos)
            back = threading.Thread(target=copy, args=(server, connection), daemon=True)
            back.start()
            copy(connection, server)
            back.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["http", "socks5"])
    parser.add_argument("--login", help="USER:PASSWORD that is wanted")
    parser.add_argument("--map", action="append", default=[], help="NAME=ADDRESS")
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--chaos", metavar="FILE", help="connections break at random while FILE exists")
    parser.add_argument("--seed", type=int, default=0, help="of --chaos")
    parser.add_argument("--rate", type=float, default=0.02, help="how many of the pieces that pass are struck, with --chaos (0.02)")
    parser.add_argument("--forget", metavar="FILE", help="what is connected when FILE comes into being is forgotten")
    parser.add_argument("--first-port", type=int, help="the port at which the other end speaks first")
    options = parser.parse_args()
    if options.chaos:
        options.chaos = Chaos(options.chaos, options.seed, options.rate)
    options.map = dict(pair.split("=") for pair in options.map)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, options), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
