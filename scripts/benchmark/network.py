"""What lies between the client and the server: the loopback device, or the link simulator (`link.c`)."""

import subprocess
import sys


class Loopback:
    """Client and server side by side."""

    device, address, rtt, rate = "lo", "127.0.0.1", 0.0, 0.0
    server_prefix = ()
    title = "loopback"


class Link:
    """The server in a network namespace of its own, behind a link.

    `rtt`: the round-trip time in seconds. `rate`: bits per second, 0 for no limit.
    """

    device, address = "link0", "10.77.0.2"

    def __init__(self, program, rtt, rate):
        self.rtt, self.rate = rtt, rate
        self.title = f"link of {rtt * 1000:g} ms" + (f", {rate_text(rate)}" if rate else "")
        self.process = subprocess.Popen(
            [program, str(rtt * 1000), str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline() != "ready\n":
            sys.exit("bench: the link simulator did not start; it needs /dev/net/tun")
        self.server_prefix = ("nsenter", f"--net=/proc/{self.process.pid}/ns/net")


UNITS = {"gbit": 1e9, "mbit": 1e6, "kbit": 1e3}


def parse_rate(text):
    """Bits per second from `1gbit`, `100mbit` or `0` (no limit)."""
    for unit, factor in UNITS.items():
        if text.lower().endswith(unit):
            return float(text[: -len(unit)]) * factor
    if float(text) == 0:
        return 0.0
    raise ValueError(text)


def rate_text(rate):
    for unit, factor in UNITS.items():
        if rate >= factor:
            return f"{rate / factor:g} {unit.capitalize()}/s"
    return f"{rate:g} bit/s"
