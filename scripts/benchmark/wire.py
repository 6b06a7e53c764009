"""Bytes and commands on the wire, counted beside the path and not in it.

Bytes are those of the network device: the network namespace is the benchmark's own, so nothing else goes over it. They
are IP packets in both directions, headers and acknowledgements included.

Commands are counted from copies of the packets that go to the server's control port. A socket filter in the kernel
picks those (packet(7), socket(7) SO_ATTACH_FILTER); the data connections cost it five instructions a packet, which is
nothing that can be measured, and the copies wait in the socket until the work is done. A relay would have delayed every
reply.
"""

import ctypes
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ETH_P_ALL, SO_ATTACH_FILTER, SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 3, 26, 33, 263, 6
"""linux/if_ether.h, asm-generic/socket.h, linux/if_packet.h"""

QUEUE = 64 << 20
"""Bytes of memory for copies: the kernel counts about 1 KiB for each, and no work sends so many commands."""


@dataclass
class Traffic:
    """What went over the wire."""

    bytes: int
    connections: int
    commands: int
    verbs: Counter = field(default_factory=Counter)
    is_complete: bool = True
    """False: copies were lost, there were more commands than counted."""


class Wire:
    """The device between the client and the server; `port` is the server's control port."""

    def __init__(self, device, port):
        self.device = device
        self.counts_both_ways = device == "lo"
        self.copies = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.copies.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, QUEUE)
        attach(self.copies, to_port(port))
        self.copies.bind((device, ETH_P_ALL))
        self.copies.setblocking(False)
        self.next_bytes = {}
        self.start()

    def bytes(self):
        for line in Path("/proc/self/net/dev").read_text().splitlines():
            name, _, counters = line.partition(":")
            if name.strip() == self.device:
                received, sent = int(counters.split()[0]), int(counters.split()[8])
                # What is sent over the loopback device is received there: one packet, not two.
                return sent if self.counts_both_ways else received + sent
        raise OSError(f"no device {self.device}")

    def start(self):
        """Counts from here."""
        self._commands()
        self._losses()
        self.bytes_before, self.connections_before = self.bytes(), connections_opened()

    def stop(self):
        """What went over the wire since `start`."""
        verbs = self._commands()
        return Traffic(
            self.bytes() - self.bytes_before,
            connections_opened() - self.connections_before,
            sum(verbs.values()),
            verbs,
            self._losses() == 0,
        )

    def _commands(self):
        """The verbs of the commands in the copies."""
        verbs = Counter()
        while True:
            try:
                packet, (_, _, kind, *_) = self.copies.recvfrom(65535)
            except BlockingIOError:
                return verbs
            # The loopback device shows each packet twice, going out and coming in.
            if kind == socket.PACKET_OUTGOING:
                verbs.update(
                    line.split(b" ")[0].decode("latin-1").upper() for line in self._new_text(packet).split(b"\r\n")[:-1]
                )

    def _new_text(self, packet):
        """What a packet brings that was not in an earlier one: TCP may send twice.

        Clients send a command in one piece, so that it is in one packet.
        """
        header = (packet[0] & 15) * 4
        source, _, sequence, _, offset, flags = struct.unpack_from("!HHIIBB", packet, header)
        text = packet[header + (offset >> 4) * 4 : struct.unpack_from("!H", packet, 2)[0]]
        if flags & 2:  # SYN: a new connection, maybe with an old port
            self.next_bytes[source] = (sequence + 1) % 2**32
            return b""
        known = self.next_bytes.get(source, sequence)
        ahead = (sequence + len(text) - known) % 2**32
        if not text or ahead == 0 or ahead > 2**31:
            return b""
        self.next_bytes[source] = (sequence + len(text)) % 2**32
        return text[-ahead:]

    def _losses(self):
        """Copies that did not fit since the last call."""
        return struct.unpack("II", self.copies.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]


def connections_opened():
    """TCP connections opened by this side (`ActiveOpens`, RFC 4022); FTP servers open none in passive mode."""
    names, values = [
        line.split() for line in Path("/proc/self/net/snmp").read_text().splitlines() if line.startswith("Tcp:")
    ]
    return int(values[names.index("ActiveOpens")])


def to_port(port):
    """The filter "TCP over IPv4 to this port", as in linux/filter.h: (code, skip if true, skip if false, value)."""
    return [
        (0x30, 0, 0, 9),  # the protocol
        (0x15, 0, 4, 6),  # is TCP
        (0xB1, 0, 0, 0),  # X = length of the IP header
        (0x48, 0, 0, 2),  # the destination port behind it
        (0x15, 0, 1, port),  # is this one
        (0x06, 0, 0, 65535),  # keep the packet
        (0x06, 0, 0, 0),  # drop the copy
    ]


def attach(to, program):
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    to.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(instructions)))
