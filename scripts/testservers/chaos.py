"""Connections that break at random, for `proxy.py --chaos`.

While a file exists (the switch), each piece that passes may strike: the connection is cut, a piece is late, or nothing passes
any more in either direction; and a new connection may be refused. A cut is a reset, which no end takes for the end of a file.
What was held back is never delivered later: a command that somebody has given up must not be done behind his back.
"""

import os
import random
import select
import socket
import struct
import threading
import time

PIECE = 1 << 14
PACKET = 1000
"""Bytes that arrive together or not at all, as on a network. A command that was cut would be more than a broken connection:
ProFTPD 1.3.8 executes the part of a line that it has, so that `RNTO /a/b` becomes `RNTO /a`."""
LONGEST_DELAY = 0.2
STRIKES = ["cut"] * 5 + ["late"] * 6 + ["silent"]
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing throws away what was not sent, and says so."""


class Chaos:
    def __init__(self, switch, seed, rate):
        self.switch, self.rate = switch, rate
        self.random, self.lock = random.Random(seed), threading.Lock()

    def strikes(self):
        """What happens to a piece; None: nothing."""
        if not os.path.exists(self.switch):
            return None
        with self.lock:
            return self.random.choice(STRIKES) if self.random.random() < self.rate else None

    def refuses(self):
        """Whether a new connection is refused."""
        return self.strikes() is not None

    def share(self, count):
        """How much of a piece passes before a cut."""
        with self.lock:
            return self.random.choice([0, count]) if count <= PACKET else self.random.randrange(count + 1)

    def delay(self):
        with self.lock:
            return self.random.random() * LONGEST_DELAY


def reset(*ends):
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()


def pump(client, server, chaos):
    """Carries bytes both ways until both ends have ended, or chaos strikes."""
    other = {client: server, server: client}
    open_ends = [client, server]
    while open_ends:
        for source in select.select(open_ends, [], [])[0]:
            target = other[source]
            try:
                data = source.recv(PIECE)
                if not data:
                    open_ends.remove(source)
                    target.shutdown(socket.SHUT_WR)
                    continue
                match chaos.strikes():
                    case "cut":
                        target.sendall(data[:chaos.share(len(data))])
                        return reset(client, server)
                    case "late":
                        time.sleep(chaos.delay())
                    case "silent":
                        # Until the client gives up.
                        while client.recv(PIECE):
                            pass
                        return reset(client, server)
                target.sendall(data)
            except OSError:
                return reset(client, server)
