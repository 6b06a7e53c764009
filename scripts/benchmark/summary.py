"""Medians over the runs of each tool and work, and how they compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .measure import Outcome

OURS, LIMIT = "ftpfs", "curl"

FLOOR = "floor"
"""The mount of the server's own folder (`floor.c`): what FUSE takes for a work, without a server."""

NO_RIVALS = (OURS, LIMIT, FLOOR)
"""What ftpfs is not in a race with."""


@dataclass
class Cell:
    """One tool's runs of one work."""

    outcomes: list[Outcome]

    @property
    def failure(self) -> str:
        """Why it has no time. One run that fails is enough: a mount that works sometimes does not work."""
        return next((outcome.failure for outcome in self.outcomes if outcome.failure), "")

    def median(self, name: str) -> float | None:
        """None where the runs have no such figure."""
        values = [value for outcome in self.outcomes if (value := getattr(outcome, name)) is not None]
        return median(values) if values else None

    def range(self, name: str) -> tuple:
        values = [getattr(outcome, name) for outcome in self.outcomes]
        return min(values), max(values)


@dataclass
class Row:
    """What each tool took for a work."""

    title: str
    amount: tuple[str, int] | None
    """("bytes", n) or ("each", n)"""
    cells: dict[str, Cell] = field(default_factory=dict)
    """By tool."""
    verdicts: list[dict] = field(default_factory=list)
    """How ftpfs's figures stand to the targets."""

    def seconds(self, name: str) -> float | None:
        """A tool's median; None when it has none."""
        cell = self.cells.get(name)
        return cell.median("seconds") if cell and not cell.failure else None

    @property
    def others(self) -> dict[str, float]:
        """The other mounts that have done it: name → seconds."""
        names = [name for name in self.cells if name not in NO_RIVALS]
        return {name: seconds for name in names if (seconds := self.seconds(name)) is not None}

    @property
    def best_other(self) -> float | None:
        """The shortest time of another mount; None when no other has one."""
        return min(self.others.values(), default=None)

    @property
    def better_rclone(self) -> float | None:
        """The shorter time of rclone's two modes; None when neither has one."""
        return min((seconds for name, seconds in self.others.items() if name.startswith("rclone")), default=None)

    def ratio(self, other: float | None) -> float | None:
        """How many times as long `other` (seconds) takes as ftpfs; None when one of them has no time."""
        ours = self.seconds(OURS)
        return None if other is None or ours is None else other / max(ours, 1e-6)

    @property
    def by_others(self) -> float | None:
        return self.ratio(self.best_other)

    @property
    def by_limit(self) -> float | None:
        """curl's time as a part of ftpfs's: 1 is as fast as without a mount."""
        return self.ratio(self.seconds(LIMIT))

    def round_trips(self, name: str, rtt: float) -> float | None:
        """A tool's time in round-trip times, of each where there are many; None without a link or a time."""
        seconds = self.seconds(name)
        if not rtt or seconds is None:
            return None
        return seconds / rtt / (self.amount[1] if self.amount and self.amount[0] == "each" else 1)
