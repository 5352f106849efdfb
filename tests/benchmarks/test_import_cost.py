"""What the Slack door costs to import, beside the two libraries that it cannot do without."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 9


def seconds_to_import(modules: str) -> float:
    """Return the wall time of a fresh process that imports ``modules``, less an empty one's."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", modules], cwd=ROOT, check=True)
    return time.perf_counter() - began


def test_the_door_costs_at_most_half_more_than_bolt_and_boto3() -> None:
    libraries, door, empty = [], [], []
    for _ in range(ROUNDS):
        # Taken in turns, so that all three meet the same machine.
        empty.append(seconds_to_import("pass"))
        libraries.append(seconds_to_import("import slack_bolt.async_app, boto3"))
        door.append(seconds_to_import("import handlers.slack"))
    start = statistics.median(empty)
    base = statistics.median(libraries) - start
    ours = statistics.median(door) - start
    print(
        f"\nbolt and boto3 {base * 1000:.0f} ms, handlers.slack {ours * 1000:.0f} ms, "
        f"ratio {ours / base:.2f} (medians of {ROUNDS}, less {start * 1000:.0f} ms for Python)"
    )
    assert ours <= 1.5 * base
