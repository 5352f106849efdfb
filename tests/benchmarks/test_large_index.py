"""200,000 chunks with 50 reader groups answer quickly, cold and warm, also after 1,500 commits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHUNKS, COMMITS = 200_000, 1_500
ROUNDS = 17
COLD_SECONDS = 1.0
WARM_SECONDS = 0.25


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.large", "--json", "--rounds"]
    command += ["--chunks", str(CHUNKS), "--commits", str(COMMITS)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    print(done.stdout)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("when", ["built", "changed"])
def test_a_large_index_answers_quickly(figures: dict[str, Any], when: str) -> None:
    told = figures[when]["told"]
    assert figures["chunks"] >= CHUNKS
    assert told["rounds"] <= ROUNDS
    assert told["cold, s"] <= COLD_SECONDS
    assert told["warm p50, s"] <= WARM_SECONDS
