"""Where things are."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
BUILD = REPOSITORY / ".build" / "benchmark"
"""Programs that the benchmark gets or compiles. `rm -r` on it is always safe."""

TEST_SERVERS = REPOSITORY / "scripts" / "test-servers"
