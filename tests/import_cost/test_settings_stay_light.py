"""The Slack door must start within Slack's 3 seconds, so its settings may cost next to nothing."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# CPU time in one process, so that both halves meet the same machine and the same caches.
MEASURE = """
import json, sys, time
start = time.process_time()
import slack_bolt.async_app, boto3
between = time.process_time()
before = set(sys.modules)
import handlers.runtime.settings
end = time.process_time()
print(json.dumps({
    "door": between - start,
    "settings": end - between,
    "added": sorted({name.split(".")[0] for name in set(sys.modules) - before}),
}))
"""


def measure() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    measured: dict[str, object] = json.loads(done.stdout)
    return measured


def test_settings_bring_no_library_with_them() -> None:
    added = measure()["added"]
    assert isinstance(added, list)
    assert set(added) <= {"handlers"} | sys.stdlib_module_names


def test_settings_cost_a_tenth_of_what_the_door_needs_anyway() -> None:
    shares = []
    # A crowded machine can only make a share look larger, so the smallest is the truest.
    for _ in range(3):
        measured = measure()
        door, settings = measured["door"], measured["settings"]
        assert isinstance(door, float)
        assert isinstance(settings, float)
        shares.append(settings / door)
    assert min(shares) < 0.1
