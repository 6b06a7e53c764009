"""Part of scripts/demo and scripts/packaging/screenshots: a picture of what was typed and printed, as SVG that can be read on light
and dark pages.

    picture.py TYPESCRIPT PICTURE [LABEL]
"""

import html
import re
import sys
from pathlib import Path

COLUMNS = 80
"""What a terminal has; longer lines go on in the next one, as they do there."""

WIDTH, HEIGHT = 8.4, 18
"""One character of a 14-pixel font with fixed widths, in pixels."""

COLOURS = {"31": "r", "32": "g", "33": "y", "36": "i", "1": "b", "2": "d"}
"""What the program uses of ECMA-48's colours, and their classes in the picture."""

STYLE = """
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; white-space: pre }
.page { fill: #f6f8fa; stroke: #d0d7de } .c { font-weight: 600 } .p { fill: #57606a }
.r { fill: #cf222e } .g { fill: #116329 } .y { fill: #7d4e00 } .i { fill: #0b6b74 } .b { font-weight: 600 } .d { fill: #57606a }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #0d1117; stroke: #30363d } .p, .d { fill: #9198a1 }
.r { fill: #ff7b72 } .g { fill: #56d364 } .y { fill: #e3b341 } .i { fill: #56d4dd } }
"""


def spans(line):
    """A line with its colours as SVG: each run of one colour is a span."""
    out, style = [], ""
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        match = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if match:
            style = COLOURS.get(match.group(1), "")
        elif piece:
            text = html.escape(piece, quote=False)
            out.append(f'<tspan class="{style}">{text}</tspan>' if style else text)
    return "".join(out)


def rows(typescript):
    """The lines on the screen, and whether somebody has typed them."""
    for line in typescript.rstrip().splitlines():
        is_typed = line.startswith(("$ ", "# "))
        if "\x1b" in line:
            yield line, False
            continue
        while True:
            yield line[:COLUMNS], is_typed
            line = line[COLUMNS:]
            if not line:
                break


def main():
    source, picture = map(Path, sys.argv[1:3])
    label = sys.argv[3] if len(sys.argv) > 3 else "A terminal: a directory is mounted, read and written"
    lines = list(rows(source.read_text()))
    width, height = round(COLUMNS * WIDTH + 32), len(lines) * HEIGHT + 28
    texts = []
    for number, (line, is_typed) in enumerate(lines):
        shown = spans(line)
        if is_typed and line[:2] in ("$ ", "# "):
            shown = f'<tspan class="p">{line[0]}</tspan> <tspan class="c">{html.escape(line[2:], quote=False)}</tspan>'
        elif is_typed:
            shown = f'<tspan class="c">{shown}</tspan>'
        if line.strip():
            texts.append(f'<text x="16" y="{26 + number * HEIGHT}" xml:space="preserve">{shown}</text>')
    picture.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{html.escape(label)}">\n<style>{STYLE}</style>\n'
        f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>\n' + "\n".join(texts) + "\n</svg>\n")


main()
