"""The results as a picture for a README: for each work a bar for ftpfs, for the best other mount and for curl.

The scale is linear and each work has its own: the longest bar of a work is as wide as the chart, so that the lengths
of its bars are in the ratio of their times. The times stand beside them. Colours suit light and dark pages: there is
no background, and text and bars follow the reader's setting.
"""

from html import escape

from .summary import LIMIT, NO_RIVALS, OURS, Cell, Row
from .texts import ratio_text, seconds_text

WIDTH, LEFT, BARS, TOP = 860, 232, 430, 92
BAR, GAP, GROUP_GAP = 11, 2, 14

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
.head { font-size: 16px; font-weight: 600 }
.soft { fill: #57606a }
.ratio { font-weight: 600 }
.ours { fill: #1f6feb } .other { fill: #afb8c1 } .limit { fill: #d4a72c }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .soft { fill: #8b949e }
  .ours { fill: #4493f8 } .other { fill: #6e7681 } .limit { fill: #d29922 }
}
""".strip()


def text(x, y, content, kind="", anchor="start"):
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(y, length, kind):
    return f'<rect x="{LEFT}" y="{y:g}" width="{max(length, 1):.1f}" height="{BAR}" rx="2" class="{kind}"/>'


def best_of_others(row: Row) -> tuple[str, Cell | None]:
    """The other mount with the shortest time, with its name; one that fails when all do; no Cell without any."""
    cells = [(name, cell) for name, cell in row.cells.items() if name not in NO_RIVALS]
    name, cell = min(
        cells, key=lambda one: (bool(one[1].failure), one[1].failure or one[1].median("seconds")), default=("", None)
    )
    return name.partition(" ")[0], cell


def group(y, row):
    """The bars of one work; returns the elements and where the next group starts."""
    other, best = best_of_others(row)
    series = [("ours", "", row.cells.get(OURS)), ("other", other, best), ("limit", "", row.cells.get(LIMIT))]
    series = [(kind, name, cell) for kind, name, cell in series if cell]
    longest = max((cell.median("seconds") for _, _, cell in series if not cell.failure), default=1)
    height = len(series) * (BAR + GAP)
    elements = [text(LEFT - 12, y + height / 2 + 3, row.title, anchor="end")]
    for index, (kind, name, cell) in enumerate(series):
        top = y + index * (BAR + GAP)
        if cell.failure:
            elements.append(text(LEFT + 6, top + BAR - 1, f"{name} fails: {cell.failure}".strip(), "soft"))
            continue
        seconds = cell.median("seconds")
        length = BARS * seconds / longest
        elements += [
            bar(top, length, kind),
            text(LEFT + max(length, 1) + 6, top + BAR - 1, f"{seconds_text(seconds)} {name}".strip(), "soft"),
        ]
    if factor := row.by_others:
        elements.append(text(WIDTH - 12, y + height / 2 + 3, ratio_text(factor), "ratio", "end"))
    return elements, y + height + GROUP_GAP


def svg(headline, rows):
    """The chart. A work that only ftpfs has done has nothing to stand beside, and is left out."""
    body = [text(12, 26, headline, "head")]
    x = LEFT
    for kind, label in (
        ("ours", "ftpfs"),
        ("other", "the best other mount: rclone or curlftpfs"),
        ("limit", "raw curl, no mount"),
    ):
        body += [
            f'<rect x="{x}" y="44" width="{BAR}" height="{BAR}" rx="2" class="{kind}"/>',
            text(x + BAR + 6, 54, label, "soft"),
        ]
        x += BAR + 30 + 6.2 * len(label)
    body += [text(LEFT, 78, "time, shorter is better; each work has its own scale", "soft")]
    body += [text(WIDTH - 12, 78, "times as fast as the other", "soft", "end")]
    y = TOP
    for row in rows:
        if len(row.cells) == 1:
            continue
        elements, y = group(y, row)
        body += elements
    lines = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">\n'
        f"<title>{escape(headline)}</title>\n<style>\n{STYLE}\n</style>\n{lines}\n</svg>\n"
    )
