"""The work that is everything: what the daemon of a mount needs that lives longer than one work."""

from .child import Failed
from .reading import LongList, ParallelRead, RandomRead, SequentialRead, SmallReads, Walk
from .summary import OURS
from .work import Work
from .writing import Copy

PARTS = (Walk, LongList, SequentialRead, ParallelRead, RandomRead, SmallReads, Copy)
"""What fills memory: many names, much content, in and out."""


class WholeRun(Work):
    """All parts in turn in one mount. Only ftpfs does it: the others' memory is that of each work alone."""

    title = "all of it in one mount"
    tools = (OURS,)

    def __init__(self, site):
        super().__init__(site)
        self.parts = [kind(site) for kind in PARTS]

    @property
    def memory(self):
        return sum(part.memory for part in self.parts)

    def prepare(self):
        for part in self.parts:
            part.prepare()

    def reset(self):
        for part in self.parts:
            part.reset()

    def run(self, place):
        return [part.run(place) for part in self.parts]

    def check(self, place, result):
        for part, found in zip(self.parts, result):
            try:
                part.check(place, found)
            except Failed as reason:
                raise Failed(f"{part.title}: {reason}") from None

    def arrived(self):
        return all(part.arrived() for part in self.parts)
