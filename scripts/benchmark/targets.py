"""What ftpfs's figures shall be, for each work, on loopback and over a link of 20 ms and 1 Gbit/s; and why that much.

The absolute times are for two cores of a present-day server; the others compare with what was measured in the same run.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from .reading import (
    FirstList,
    Head,
    LongerList,
    LongList,
    ParallelRead,
    RandomRead,
    SecondRead,
    SecureRead,
    SequentialRead,
    SmallReads,
    Walk,
    WalkAgain,
)
from .sizes import KIB, MIB
from .summary import LIMIT, OURS, Row
from .texts import bytes_text, ratio_text, round_trips_text, seconds_text
from .whole import WholeRun
from .work import Work
from .writing import Append, Copy, ManyWrites, Patch, Remove, Rename, SmallWrites, Unpack, WritesBehind

Rows = dict[type[Work], Row]
"""What was measured in a run."""

Figure = Callable[[Row, Rows, float], float | None]
"""Takes a figure from the row of a work, the rows of all works, and the round-trip time in seconds."""


@dataclass(frozen=True)
class Verdict:
    """A target and what came of it."""

    wanted: str
    reason: str
    measured: str
    is_met: bool | None
    """None: there is nothing to compare with."""


@dataclass(frozen=True)
class Target:
    """A bound for one figure of a work."""

    wanted: str
    reason: str
    figure: Figure
    bound: float
    show: Callable[[float], str]
    is_least: bool = False
    """The figure must reach the bound; else it must not exceed it."""

    def verdict(self, row: Row, rows: Rows, rtt: float) -> Verdict:
        ours = row.cells[OURS]
        if ours.failure:
            return Verdict(self.wanted, self.reason, f"fails: {ours.failure}", False)
        value = self.figure(row, rows, rtt)
        if value is None:
            return Verdict(self.wanted, self.reason, "–", None)
        return Verdict(
            self.wanted, self.reason, self.show(value), value >= self.bound if self.is_least else value <= self.bound
        )


def of_ours(name: str) -> Figure:
    """A figure of ftpfs alone: the median, as the kernel may drop what it keeps when others need memory."""
    return lambda row, rows, rtt: row.cells[OURS].median(name)


def most_of_ours(name: str) -> Figure:
    """The most of all runs."""
    return lambda row, rows, rtt: row.cells[OURS].range(name)[1]


def at_most(seconds: float, reason: str) -> Target:
    return Target(f"≤ {seconds_text(seconds)}", reason, lambda row, rows, rtt: row.seconds(OURS), seconds, seconds_text)


def each_at_most(seconds: float, reason: str) -> Target:
    def figure(row, rows, rtt):
        return row.seconds(OURS) / row.amount[1]

    return Target(f"≤ {seconds_text(seconds)} each", reason, figure, seconds, seconds_text)


def round_trips(count: float, reason: str, unit: str = "") -> Target:
    """`unit`: what there are many of, where the bound is for each."""
    wanted = f"≤ {count:g} RTT" + (f" {unit}" if unit else "")
    return Target(wanted, reason, lambda row, rows, rtt: row.round_trips(OURS, rtt), count, round_trips_text)


OTHERS: dict[str, Callable[[Row], float | None]] = {
    "curl": lambda row: row.seconds(LIMIT),
    "curlftpfs": lambda row: row.others.get("curlftpfs"),
    "rclone": lambda row: row.better_rclone,
    "rclone off": lambda row: row.others.get("rclone off"),
}
"""Whom ftpfs is compared with → their seconds. `rclone` is the better of its two modes."""


def rate_of(other: str, factor: float, reason: str) -> Target:
    """ftpfs moves at least `factor` times as many bytes in a second."""

    def figure(row, rows, rtt):
        return row.ratio(OTHERS[other](row))

    return Target(f"≥ {factor:g} × the rate of {other}", reason, figure, factor, ratio_text, is_least=True)


def time_of(other: str, factor: float, reason: str) -> Target:
    """ftpfs needs at most `factor` of the time."""

    def figure(row, rows, rtt):
        ratio = row.ratio(OTHERS[other](row))
        return ratio and 1 / ratio

    return Target(f"≤ {factor:g} × the time of {other}", reason, figure, factor, ratio_text)


def wire(count: int, reason: str) -> Target:
    return Target(f"< {bytes_text(count)} on the wire", reason, most_of_ours("bytes"), count - 1, bytes_text)


def memory(count: int, reason: str) -> Target:
    return Target(f"≤ {bytes_text(count)} resident", reason, most_of_ours("peak"), count, bytes_text)


def no_command(reason: str) -> Target:
    return Target("no command on the wire", reason, of_ours("commands"), 0, lambda count: f"{count:.0f} commands")


def no_read(reason: str) -> Target:
    """No request for content reaches the daemon: see `Work.asks_daemon`."""
    return Target("no READ to the daemon", reason, of_ours("asks_daemon"), 0, lambda asks: "some" if asks else "none")


def processor_time_of_rclone(factor: float, reason: str) -> Target:
    """By the byte, and so by the work: both read the same."""

    def figure(row, rows, rtt):
        cells = [cell for name, cell in row.cells.items() if name in row.others and name.startswith("rclone")]
        least = min((cell.median("cpu") for cell in cells), default=0)
        return row.cells[OURS].median("cpu") / least if least else None

    return Target(f"≤ {factor:g} × the CPU time of rclone", reason, figure, factor, ratio_text)


def faster_than(kind: type[Work], factor: float, reason: str) -> Target:
    """`factor` times as fast as another work of the same run."""

    def figure(row, rows, rtt):
        other = rows.get(kind)
        return row.ratio(other.seconds(OURS)) if other else None

    return Target(f"≥ {factor:g} × as fast as without", reason, figure, factor, ratio_text, is_least=True)


LEAN = processor_time_of_rclone(0.5, "what a mount takes of the processor is taken from the program that reads")
BOUNDED = memory(100 * MIB, "64 MiB of file content, the names of all directories, and the program")
KERNEL = [
    no_read("the kernel keeps the pages while size and time of the file are the same"),
    no_command("the directory has been listed within its time to live"),
]
KNOWN = [no_command("all directories have been listed within their time to live")]
MANY = [
    at_most(3, "linear: 30 times what 10,000 may take over a link, less its round trips"),
    memory(200 * MIB, "half a KiB for a name on its way, and what the server sends of it"),
]
BEHIND = [faster_than(ManyWrites, 20, "a close() that waits for the local disk instead of the server")]

TARGETS: dict[type[Work], tuple[list[Target], list[Target]]] = {
    # Work: (on loopback, over a link)
    SequentialRead: (
        [
            rate_of("rclone", 2.5, "fewer copies and larger requests"),
            rate_of("curl", 0.65, "FUSE copies every byte once more than curl does"),
            LEAN,
        ],
        [rate_of("curl", 0.95, "the window is open all the time"), LEAN],
    ),
    SecondRead: (KERNEL, KERNEL),
    SecureRead: (
        [rate_of("curl", 0.6, "decrypting bounds curl too")],
        [rate_of("curl", 0.6, "decrypting bounds curl too")],
    ),
    ParallelRead: (
        [rate_of("rclone", 1.5, "the cores bound both")],
        [rate_of("rclone", 1.2, "the link bounds both")],
    ),
    RandomRead: (
        [each_at_most(0.001, "a transfer for each, with what a server takes to start it")],
        [round_trips(2.2, "data connection and RETR, or ABOR of the last; armed ahead it is one", "each")],
    ),
    Head: (
        [at_most(0.010, "one short transfer"), wire(MIB, "the first window, and not the file")],
        [round_trips(3, "data connection, RETR, the end of the transfer")],
    ),
    Walk: (
        [
            at_most(0.0595, "0.7 of what curlftpfs took for it on a machine of this class"),
            time_of("curlftpfs", 0.7, "sub-directories are listed ahead, on several connections"),
        ],
        [at_most(0.7, "less than one round trip for a directory")],
    ),
    WalkAgain: (KNOWN, KNOWN),
    LongList: (
        [at_most(0.12, "one listing, and 12 µs for an entry in server, client and ls")],
        [at_most(0.35, "one listing, and its bytes in slow start")],
    ),
    LongerList: (MANY, MANY),
    SmallReads: (
        [at_most(0.15, "half a millisecond for a file: files of one directory are fetched ahead")],
        [at_most(0.6, "half a round trip for a file: files of one directory are fetched ahead")],
    ),
    FirstList: (
        [at_most(0.050, "start of the program, login, one listing")],
        [round_trips(8, "TCP, greeting, USER, PASS, FEAT and the like, data connection, listing")],
    ),
    WholeRun: ([BOUNDED], [BOUNDED]),
    Copy: (
        [
            time_of("rclone off", 0.8, "sending starts while the program still writes"),
            rate_of("curl", 0.6, "every byte goes through the spool"),
            BOUNDED,
        ],
        [rate_of("curl", 0.9, "the link is full from the first second on"), BOUNDED],
    ),
    SmallWrites: (
        [at_most(0.25, "1.7 ms for a file: STOR, and the rename into place")],
        [round_trips(2.3, "STOR on a connection that is ready, and the reply at its end", "each")],
    ),
    ManyWrites: ([BOUNDED], [BOUNDED]),
    WritesBehind: ([*BEHIND, BOUNDED], [*BEHIND, BOUNDED]),
    Unpack: (
        [at_most(0.4, "1.3 ms for a file, with its time and mode")],
        [round_trips(3, "a small write, with time and mode sent together", "a file")],
    ),
    Append: (
        [at_most(0.020, "APPE of one line"), wire(64 * KIB, "only what was appended is sent")],
        [round_trips(4, "data connection, APPE, its end, and a look at the size")],
    ),
    Patch: (
        [at_most(0.030, "REST and STOR of a few KiB"), wire(256 * KIB, "only what was changed is sent")],
        [round_trips(6, "the page around it is read, then REST, STOR and a look at the size")],
    ),
    Rename: (
        [
            at_most(0.060, "what curlftpfs took for it on a machine of this class"),
            time_of("curlftpfs", 1, "no other mount is faster"),
        ],
        [
            round_trips(1.2, "RNFR and RNTO sent together, where the server takes that", "each"),
            round_trips(2.2, "RNFR, then RNTO, where it does not", "each"),
        ],
    ),
    Remove: (
        [
            at_most(0.020, "what curlftpfs took for it on a machine of this class"),
            time_of("curlftpfs", 1, "no other mount is faster"),
        ],
        [
            round_trips(1.2, "DELE of each, after one listing", "each"),
            round_trips(2.2, "where a server needs two commands for it", "each"),
        ],
    ),
}


def judge(rows: Rows, rtt: float) -> None:
    """Gives the rows (by kind of work) of which ftpfs has figures their verdicts."""
    for kind, row in rows.items():
        if OURS in row.cells:
            targets = TARGETS.get(kind, ([], []))[1 if rtt else 0]
            row.verdicts = [asdict(target.verdict(row, rows, rtt)) for target in targets]
