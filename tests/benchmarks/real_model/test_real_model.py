"""A small real model, end to end: every footnote that is shown quotes the index word by word."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.real_model.questions import ROOT

QUESTIONS = 50
MOST_FALLBACKS = QUESTIONS // 2
"""With more of them it would be the quotes in its place that are measured, and not the model."""


@pytest.mark.timeout(7200)
def test_every_shown_quote_is_in_the_index() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.real_model.ask"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    assert done.returncode == 0
    tables = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    (told,) = [one for one in tables if one["title"] == "sentences and refusals"]
    assert told["questions"] == QUESTIONS
    for of in ("all", "clapnq", "handbook"):
        assert told["rows"][of]["raw sentences"] > 0, of
        assert told["rows"][of]["quotes shown"] > 0, of
        assert told["rows"][of]["verbatim"] == 1.0, of
    assert told["rows"]["all"]["fallback"] <= MOST_FALLBACKS
