"""Part of scripts/newcomer: puts what was typed and printed into a document, or compares it with that.

    typescript.py update|check DOCUMENT NAME TYPESCRIPT

The place is between `<!-- scripts/NAME prints this: begin -->` and `<!-- end -->`. What differs from run to run does not count
in a comparison: numbers, dates and names of temporary directories.
"""

import re
import sys
from pathlib import Path


def without_chance(text):
    """What is the same in each run."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b", "MONTH", text)
    text = re.sub(r"(mount|ftpfs-[a-z]+)-[A-Za-z0-9]{6}\b", r"\1-N", text)
    text = re.sub(r"\d+(?:\.\d+)?", "N", text)
    # Units and bars follow the numbers; a list of several lines is broken where they end.
    text = re.sub(r"N (?:ms|s|min|B|kB|MB|bytes)\b", "N", text)
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]
    # How many connections are idle is a matter of moments.
    return [line for line in lines if line != "N idle N"]


def main():
    action, document, name, typescript = sys.argv[1:]
    path = Path(document)
    text = path.read_text()
    place = re.compile(rf"(<!-- scripts/{name} prints this: begin -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    match = place.search(text)
    if not match:
        sys.exit(f"{document}: there is no place for what scripts/{name} prints")
    printed = Path(typescript).read_text().rstrip()
    block = "\n" + "\n".join(f"    {line}".rstrip() for line in printed.splitlines()) + "\n\n"
    if action == "update":
        path.write_text(text[:match.start(2)] + block + text[match.end(2):])
        return
    old, new = without_chance(match.group(2)), without_chance(block)
    if old != new:
        import difflib
        print("\n".join(difflib.unified_diff(old, new, document, f"scripts/{name}", lineterm="", n=1)))
        sys.exit(f"{document} shows something else than is printed: scripts/{name} --update")


main()
