"""A small real model, end to end: every footnote that is shown quotes the index word by word."""

import subprocess
import sys

import pytest

from tests.benchmarks.real_model.questions import ROOT


@pytest.mark.timeout(7200)
def test_every_shown_quote_is_in_the_index() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.real_model.ask"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    assert done.returncode == 0
