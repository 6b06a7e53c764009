"""The results on a terminal, 120 columns wide."""

from .summary import OURS, Cell, Row
from .texts import bytes_text, rate_text, ratio_text, round_trips_text, seconds_text, short_failure, verdict_text

TITLE, CELL, RATIO = 33, 11, 7


def details_header() -> str:
    times = f"{'median':>9}  {'min – max':<17} {'per unit':>14} {'round trips':>11}"
    return f"{'':<14}{times} {'CPU':>7} {'memory':>9} {'wire':>9} {'conn.':>5} {'commands':>9}"


def details(row: Row, rtt: float) -> str:
    """A block of lines: a work, and what each tool took for it."""
    lines = [row.title]
    for name, cell in row.cells.items():
        if cell.failure:
            lines.append(f"  {name:<12} fails: {cell.failure}")
            continue
        seconds = cell.median("seconds")
        least, most = cell.range("seconds")
        lines.append(
            f"  {name:<12}{seconds_text(seconds):>9}  {seconds_text(least) + ' – ' + seconds_text(most):<17} "
            f"{rate_text(row.amount, seconds):>14} {round_trips_text(row.round_trips(name, rtt)):>11} "
            f"{cell.median('cpu'):>5.2f} s {bytes_text(cell.median('peak')):>9} "
            f"{bytes_text(cell.median('bytes')):>9} {cell.median('connections'):>5.0f} {commands_text(cell):>9}"
        )
    return "\n".join(lines)


def commands_text(cell: Cell) -> str:
    """`12`; `12+` when some were not counted, `–` when they are encrypted."""
    count = cell.median("commands")
    if count is None:
        return "–"
    return f"{count:.0f}" + ("" if all(one.commands_complete for one in cell.outcomes) else "+")


def time_text(row: Row, name: str) -> str:
    """A tool's time for a work in the width of a column; why there is none."""
    cell = row.cells.get(name)
    if cell is None:
        return "–"
    return short_failure(cell.failure, CELL) if cell.failure else seconds_text(cell.median("seconds"))


def ratio_to_ours(row: Row, name: str) -> str:
    """How many times as long a tool takes as ftpfs; nothing for ftpfs itself, and for those that have no time."""
    ratio = row.ratio(row.seconds(name)) if name != OURS else None
    return "" if ratio is None else ratio_text(ratio)


def summary(rows: list[Row], names: list[str]) -> str:
    """One line for each work: the tools' times, and how many times as long as ftpfs's they are."""

    def cell(name: str, time: str, ratio: str = "") -> str:
        return f"{time:>{CELL}}" + ("" if name == OURS else f"{ratio:>{RATIO}}")

    lines = [(" " * TITLE + "".join(cell(name, name) for name in names)).rstrip()]
    for row in rows:
        cells = "".join(cell(name, time_text(row, name), ratio_to_ours(row, name)) for name in names)
        lines.append(f"{row.title:<{TITLE}}{cells}".rstrip())
    return "\n".join(lines)


def targets(rows: list[Row]) -> str:
    """One line for each target: what is wanted of a work, and what was measured."""
    lines = [f"{'':<{TITLE}}  {'wanted of ' + OURS:<32}{'measured':>14}"]
    for row in rows:
        title = row.title
        for verdict in row.verdicts:
            measured, judged = verdict["measured"], verdict_text(verdict["is_met"])
            lines.append(f"{title:<{TITLE}}  {verdict['wanted']:<32}{measured:>14}  {judged}")
            title = ""
    return "\n".join(lines)
