"""A small real model as an agent: the run always ends, and what worked is reported as it is."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.real_model.agent_tasks import TASKS
from tests.benchmarks.real_model.questions import ROOT


@pytest.mark.timeout(7200)
def test_every_task_comes_to_an_end() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.real_model.agent"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout)
    report = json.loads(done.stdout.splitlines()[-1])
    assert len(report["rows"]) == len(TASKS)
