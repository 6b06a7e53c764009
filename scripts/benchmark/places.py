"""Where things are."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
BUILD = REPOSITORY / ".build" / "benchmark"
"""Programs that the benchmark gets or compiles, and the figures of the page. `rm -r` on it is always safe."""

BENCH = REPOSITORY / "scripts" / "bench"
TEST_SERVERS = REPOSITORY / "scripts" / "test-servers"
