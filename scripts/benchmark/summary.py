"""Medians over the runs of each tool and work, and how they compare."""

from dataclasses import dataclass
from statistics import median

OURS, LIMIT = "ftpfs", "curl"


@dataclass
class Cell:
    """One tool's runs of one work."""

    outcomes: list

    @property
    def failure(self):
        """Why it has no time. One run that fails is enough: a mount that works sometimes does not work."""
        return next((outcome.failure for outcome in self.outcomes if outcome.failure), "")

    def median(self, name):
        return median(getattr(outcome, name) for outcome in self.outcomes)

    def range(self, name):
        values = [getattr(outcome, name) for outcome in self.outcomes]
        return min(values), max(values)


def best_other(row):
    """The shortest time of another mount, in a row of tool → Cell; None when no other can do it."""
    times = [cell.median("seconds") for name, cell in row.items() if name not in (OURS, LIMIT) and not cell.failure]
    return min(times, default=None)


def ratio(row, other):
    """How many times as long `other` (seconds) takes as ftpfs; None when one of them has no time."""
    ours = row.get(OURS)
    if other is None or ours is None or ours.failure:
        return None
    return other / max(ours.median("seconds"), 1e-6)


def of_limit(row):
    """curl's time as a part of ftpfs's: 1 is as fast as without a mount; None when one of them has no time."""
    limit = row.get(LIMIT)
    return ratio(row, limit.median("seconds") if limit and not limit.failure else None)
