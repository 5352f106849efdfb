"""A sync of 2,757 real pages costs little more than embedding them: see sync_speed.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAST_RATIO = 0.85
NO_CHANGE_SHARE = 0.03
"""Most that a sync which finds nothing new takes, as a share of the first."""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("arguments", [[], ["--s3", "--limit", "300"]], ids=["folder", "s3"])
def test_a_sync_keeps_the_embedder_busy(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.sync_speed", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["ratio"] >= LEAST_RATIO
    assert told["no_change_share"] <= NO_CHANGE_SHARE
