"""The results on a terminal, 110 columns wide."""

from .sizes import GIB, KIB, MIB
from .summary import best_other, of_limit, ratio

TITLE, CELL = 31, 11


def seconds_text(seconds):
    """Three digits: `1.23 s`, `45.6 ms`."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds >= 0.0001 else f"{seconds * 1000:.2f} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"


def bytes_text(count):
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 1000 * unit else f"{count / unit:.0f} {name}"
    return f"{count:.0f} B"


def rate_text(amount, seconds):
    """What a work's time means: MB/s for bytes, the time of each for many."""
    if not amount:
        return ""
    kind, count = amount
    return f"{count / seconds / 1e6:.0f} MB/s" if kind == "bytes" else f"{seconds_text(seconds / count)} each"


def ratio_text(value):
    """`12 ×`, `1.34 ×`; `–` where there is nothing to compare with."""
    return "–" if value is None else f"{value:.0f} ×" if value >= 10 else f"{value:.2f} ×"


def details_header():
    times = f"{'median':>9}  {'min – max':<17} {'per unit':>14}"
    return f"{'':<14}{times} {'CPU':>7} {'memory':>9} {'wire':>9} {'conn.':>5} {'commands':>9}"


def details(title, row, amount):
    """A block of lines: a work, and what each tool took for it."""
    lines = [title]
    for name, cell in row.items():
        if cell.failure:
            lines.append(f"  {name:<12} fails: {cell.failure}")
            continue
        seconds = cell.median("seconds")
        least, most = cell.range("seconds")
        commands = f"{cell.median('commands'):.0f}" + (
            "" if all(one.commands_complete for one in cell.outcomes) else "+"
        )
        lines.append(
            f"  {name:<12}{seconds_text(seconds):>9}  {seconds_text(least) + ' – ' + seconds_text(most):<17} "
            f"{rate_text(amount, seconds):>14} {cell.median('cpu'):>5.2f} s {bytes_text(cell.median('peak') * KIB):>9} "
            f"{bytes_text(cell.median('bytes')):>9} {cell.median('connections'):>5.0f} {commands:>9}"
        )
    return "\n".join(lines)


def summary(rows, names):
    """One line for each work. `rows`: (title, tool → Cell)."""
    header = f"{'':<{TITLE}}" + "".join(f"{name:>{CELL + 1}}" for name in names)
    lines = [header + f"{'vs others':>10}{'vs curl':>9}"]
    for title, row in rows:
        cells = ""
        for name in names:
            cell = row.get(name)
            text = (
                "–"
                if cell is None
                else short_failure(cell.failure)
                if cell.failure
                else seconds_text(cell.median("seconds"))
            )
            cells += f"{text:>{CELL + 1}}"
        lines.append(
            f"{title:<{TITLE}}{cells}{ratio_text(ratio(row, best_other(row))):>10}{ratio_text(of_limit(row)):>9}"
        )
    return "\n".join(lines)


def short_failure(failure):
    """A failure in the width of a column."""
    if failure.startswith("more than "):
        return failure.replace("more than ", "> ")
    return failure if len(failure) <= CELL else "fails"
