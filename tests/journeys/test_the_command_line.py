"""The command line as people and programs use it: real processes, real documents, real S3."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.journeys.conftest import MODELS

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"], "FOOTNOTE_MODELS": str(MODELS)}


def footnote(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "handlers", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=110,
    )


def reported(*arguments: str, **environment: str) -> dict[str, Any]:
    """Run a command with --json; stdout must be one object and nothing else."""
    done = footnote(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


def on_s3(storage: ObjectStorage) -> Mapping[str, str]:
    return {
        "FOOTNOTE_INDEX": storage.new_uri(),
        "AWS_ENDPOINT_URL": storage.storage_options["endpoint"],
        "AWS_ACCESS_KEY_ID": storage.storage_options["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": storage.storage_options["aws_secret_access_key"],
        "AWS_REGION": storage.storage_options["region"],
    }


@pytest.mark.parametrize(
    "command", ["", "demo", "serve", "sync", "sources", "maintain", "ask", "eval", "eval add"]
)
def test_every_command_explains_itself(command: str) -> None:
    done = footnote(*command.split(), "--help")
    assert done.returncode == 0
    assert "usage: footnote" in done.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("place", ["folder", "s3"])
def test_a_sync_embeds_only_what_changed(
    tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    index: Mapping[str, str] = {}
    if place == "s3":
        index = on_s3(request.getfixturevalue("storage"))
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, fact in (("tea", "Tea is served at four."), ("dogs", "Dogs sleep in the garden.")):
        (docs / f"{name}.md").write_text(f"# {name.title()}\n\n{fact}\n")
    settings = {"FOOTNOTE_HOME": str(tmp_path / "home"), "FOOTNOTE_DOCS": str(docs), **index}

    def synced() -> dict[str, Any]:
        (source,) = reported("sync", **settings)["sources"]
        return dict(source)

    first = synced()
    assert (first["added"], first["chunks_embedded"]) == (2, 2)
    second = synced()
    assert (second["unchanged"], second["chunks_embedded"]) == (2, 0)
    (docs / "tea.md").write_text("# Tea\n\nTea is served at five.\n")
    (docs / "dogs.md").unlink()
    (docs / "cats.md").write_text("# Cats\n\nCats sleep on the radiator.\n")
    third = synced()
    assert (third["added"], third["changed"], third["removed"]) == (1, 1, 1)

    answer = reported("ask", "When is tea served?", **settings)
    assert answer["verdict"] == "answered"
    assert answer["citations"][0]["quote"] == "Tea is served at five."
    gone = reported("ask", "Where do dogs sleep in the garden?", **settings)
    assert "Dogs" not in json.dumps(gone["citations"])


def test_a_judged_set_is_measured(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    facts = {"t": ("Tea", "Tea is served at four."), "d": ("Dogs", "Dogs sleep in the garden.")}
    lines = [{"id": i, "title": t, "text": x, "url": ""} for i, (t, x) in facts.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)))
    queries = [{"id": "q1", "text": "When is tea served?"}, {"id": "q2", "text": "No judgement"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tt\t1\n")
    result = reported("eval", str(folder), FOOTNOTE_HOME=str(tmp_path / "home"))["sets"][0]
    assert (len(result["questions"]), result["documents"]) == (1, 2)
    for metric in ("recall_at_1", "ndcg_at_10", "mrr_at_10", "first_footnote_gold"):
        assert result["figures"][metric]["mean"] == 1.0, metric
    assert 0 < result["effort"]["whole_p50_ms"] <= result["effort"]["whole_p95_ms"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ask", "x"], 1, "Sync"),
        (["sync"], 2, "FOOTNOTE_DOCS"),
        (["sync", "--docs", "nowhere"], 2, "nowhere"),
        (["eval", "nowhere"], 1, "nowhere"),
    ],
    ids=["no index", "no documents", "no such folder", "no judged set"],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    done = footnote(*arguments, "--json", FOOTNOTE_HOME=str(tmp_path))
    assert done.returncode == code, done.stderr
    assert says in json.loads(done.stdout)["error"]["message"]
    assert "Traceback" not in done.stderr


def test_serve_names_every_missing_setting_at_once(tmp_path: Path) -> None:
    done = footnote("serve", FOOTNOTE_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "SLACK_BOT_TOKEN" in done.stderr
    assert "SLACK_SIGNING_SECRET" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(180)
def test_ctrl_c_ends_the_demo_cleanly(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "tea.md").write_text("# Tea\n\nTea is served at four.\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "handlers", "demo", "--docs", str(docs), "--port", "0"],
        cwd=ROOT,
        env=ENVIRONMENT | {"FOOTNOTE_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Open http://127.0.0.1:"):
            break
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert process.returncode in (0, 130)
    assert time.monotonic() - began < 20
    assert "Traceback" not in errors
