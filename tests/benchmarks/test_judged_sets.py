"""Retrieval on real judged questions, beside plain BM25 and plain vectors on the same files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETS = ROOT.parent / "shared" / "data"

# nDCG@10 of BM25 and of all-MiniLM-L6-v2 alone, from the README beside the sets.
BASELINES = {
    "anthropic-docs": (0.780, 0.712),
    "codebase": (0.686, 0.582),
    "squad2-dev": (0.849, 0.761),
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", BASELINES)
def test_both_arms_together_find_more_than_either_alone(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "handlers", "eval", str(SETS / name)]
    command += ["--retrieval-only", "--json"]
    done = subprocess.run(
        [*command, "--home", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    figures = json.loads(done.stdout)["sets"][0]["figures"]
    print(json.dumps(figures, indent=2))
    assert figures["ndcg_at_10"]["mean"] > max(BASELINES[name])
