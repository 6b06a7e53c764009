"""Figures as people read them: three digits and a unit."""

from .sizes import GIB, KIB, MIB


def seconds_text(seconds: float) -> str:
    """`1.23 s`, `45.6 ms`."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.3g} µs"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"


def nanoseconds_text(nanoseconds: float) -> str:
    return f"{nanoseconds:.3g} ns" if nanoseconds < 1000 else seconds_text(nanoseconds / 1e9)


def bytes_text(count: float) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 1000 * unit else f"{count / unit:.0f} {name}"
    return f"{count:.0f} B"


def ratio_text(value: float | None) -> str:
    """`12 ×`, `1.34 ×`; `–` where there is nothing to compare with."""
    return "–" if value is None else f"{value:.0f} ×" if value >= 10 else f"{value:.2f} ×"


def round_trips_text(count: float | None) -> str:
    """`2.1 RTT`; nothing without a link."""
    return "" if count is None else f"{count:.1f} RTT" if count < 100 else f"{count:.0f} RTT"


def rate_text(amount: tuple[str, int] | None, seconds: float) -> str:
    """What a work's time means: MB/s for bytes, the time of each for many."""
    if not amount:
        return ""
    kind, count = amount
    return f"{count / seconds / 1e6:.0f} MB/s" if kind == "bytes" else f"{seconds_text(seconds / count)} each"


def short_failure(failure: str, width: int) -> str:
    """A failure in the width of a column."""
    if failure.startswith("more than "):
        return failure.replace("more than ", "> ")
    return failure if len(failure) <= width else "fails"


def verdict_text(is_met: bool | None) -> str:
    return {True: "met", False: "MISSED", None: "–"}[is_met]
