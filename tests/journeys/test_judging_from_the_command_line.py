"""`footnote eval` as people and CI use it: real processes, the real embedder, a planted loss."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.scripted_model import ScriptedModel, Streams
from tests.journeys.test_the_command_line import ENVIRONMENT, ROOT, footnote

LOSS = 3
PARTS = [f"{letter}{number}" for letter in ("QX", "ZR", "KV", "TB") for number in range(410, 421)]

PAGE = (
    "The spare parts of our machines are listed here. Every part can be ordered by everybody who"
    " repairs a machine, with the form that hangs beside the door. Parts are brought within three"
    " days. Whoever takes one writes the date and the name into the book that lies there, so that"
    " the store knows what must be ordered again in time. See {part}."
)


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged set of pages that differ in a code: only the words can tell them apart."""
    folder = tmp_path_factory.mktemp("sets") / "codes"
    folder.mkdir()
    pages = [
        {
            "id": part,
            "title": "Spare parts",
            "text": PAGE.format(part=part),
        }
        for part in PARTS
    ]
    questions: list[dict[str, object]] = [
        {
            "id": f"q-{part}",
            "text": f"Who may order {part}?",
            "answers": ["everybody"],
        }
        for part in PARTS[::2]
    ]
    questions += [
        {"id": f"u-{n}", "text": f"Which king ruled Atlantis in the year {n}?", "answerable": False}
        for n in range(8)
    ]
    gold = "".join(f"q-{part}\t{part}\t1\n" for part in PARTS[::2])
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, pages)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{gold}")
    return folder


def changed_checkout(folder: Path, changes: dict[str, Callable[[str], str]]) -> Path:
    """Copy the program, unless it is there, and change files of it."""
    for package in ("bot", "handlers", "index"):
        if not (folder / package).exists():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, folder / package, ignore=ignore)
    for name, change in changes.items():
        before = (folder / name).read_text("utf-8")
        after = change(before)
        assert after != before, f"nothing to change in {name}"
        (folder / name).write_text(after, "utf-8")
    return folder


def constant(name: str, value: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)


def evaluated(
    *arguments: str, home: Path, checkout: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "handlers", "eval", *arguments, "--json", "--home", str(home)],
        cwd=checkout,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.mark.timeout(600)
def test_a_planted_loss_is_found_with_its_recipe_and_an_equal_run_passes(
    codes: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    # A copy, so that the code is the same in both runs, whatever happens to the checkout.
    checkout = changed_checkout(tmp_path / "same", {})
    first = evaluated(str(codes), home=home, checkout=checkout)
    assert first.returncode == 0, first.stderr
    before = tmp_path / "before.json"
    before.write_text(first.stdout)
    report: dict[str, Any] = json.loads(first.stdout)
    figures = report["sets"][0]["figures"]
    assert figures["ndcg_at_10"]["mean"] > 0.9
    assert figures["ndcg_at_10"]["low"] <= figures["ndcg_at_10"]["mean"]
    assert figures["refused"]["mean"] == 1.0
    assert str(tmp_path) not in first.stdout
    assert str(ROOT) not in first.stdout

    same = evaluated(str(codes), "--against", str(before), home=home, checkout=checkout)
    assert same.returncode == 0, same.stderr
    compared = json.loads(same.stdout)["comparison"]
    assert (compared["changes"], compared["notes"], compared["losses"]) == ([], [], [])
    assert {one["difference"]["mean"] for one in compared["figures"]} == {0.0}

    changed = changed_checkout(
        checkout,
        {
            "index/ranking.py": lambda text: constant("COVERAGE_WEIGHT", "0.0")(
                constant("KEYWORD_WEIGHT", "0.0")(text)
            ),
            "index/chunking.py": constant("RECIPE", '"changed-recipe-1"'),
            "handlers/answering/answer_prompt.md": lambda text: f"{text}Be brief.\n",
        },
    )
    page = tmp_path / "report.html"
    worse = evaluated(
        *(str(codes), "--against", str(before), "--html", str(page)), home=home, checkout=changed
    )
    assert worse.returncode == LOSS, worse.stderr
    compared = json.loads(worse.stdout)["comparison"]
    assert "codes ndcg_at_10" in compared["losses"]
    changes = {one["name"]: (one["before"], one["after"]) for one in compared["changes"]}
    assert changes["fusion KEYWORD_WEIGHT"][1] == 0.0
    assert changes["chunker RECIPE"][1] == "changed-recipe-1"
    assert "prompts answer_prompt.md" in changes
    assert "code index" in changes
    assert "code handlers.answering" not in changes
    assert "A real loss" in page.read_text("utf-8")


@pytest.mark.timeout(300)
def test_a_sample_of_the_ranking_alone_is_quick_and_of_another_size_only_partly_compared(
    codes: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    whole = evaluated(str(codes), "--retrieval-only", home=home)
    assert whole.returncode == 0, whole.stderr
    result = json.loads(whole.stdout)["sets"][0]
    assert len(result["questions"]) == len(PARTS[::2])
    assert "answered" not in result["figures"]
    assert result["effort"]["whole_p50_ms"] is None
    assert 0 < result["effort"]["retrieval_p50_ms"] <= result["effort"]["retrieval_p95_ms"]
    before = tmp_path / "before.json"
    before.write_text(whole.stdout)
    less = evaluated(
        *(str(codes), "--retrieval-only", "--limit", "12", "--against", str(before)), home=home
    )
    assert less.returncode == 0, less.stderr
    compared = json.loads(less.stdout)["comparison"]
    assert "compared are the 12" in compared["notes"][0]
    assert [(one["name"], one["after"]) for one in compared["changes"]] == [("run limit", 12)]


@pytest.mark.timeout(300)
def test_cases_that_were_added_are_asked_of_the_real_index(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "office").mkdir(parents=True)
    (docs / "office" / "tea.md").write_text("# Tea\n\nTea is served at four in the garden.\n")
    (docs / "dogs.md").write_text("# Dogs\n\nDogs sleep in the basement of the house.\n")
    settings = {"FOOTNOTE_HOME": str(tmp_path / "home"), "FOOTNOTE_DOCS": str(docs)}
    assert footnote("sync", **settings).returncode == 0

    def add(*arguments: str) -> str:
        done = footnote("eval", "add", *arguments, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    path = Path(
        add(
            "When is tea served in the garden?", "--expects", "office/tea.md", "--answer", "at four"
        )
    )
    add("Which king ruled Atlantis?", "--unanswerable")
    assert path.parent == tmp_path / "home" / "cases"
    done = footnote("eval", str(path.parent), "--json", **settings)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["sets"][0]["figures"]
    for name in ("recall_at_1", "first_footnote_gold", "answer_in_quotes", "refused"):
        assert figures[name]["mean"] == 1.0, name
    table = footnote("eval", str(path.parent), **settings)
    assert "Recall@1" in table.stdout and "Balanced accuracy" in table.stdout


@pytest.mark.timeout(300)
async def test_a_model_may_judge_apart_from_the_figures(codes: Path, tmp_path: Path) -> None:
    answer = "Every part can be ordered by everybody who repairs a machine [1]."
    opinion_of_it = Streams(['{"supported": [false]}'])
    async with ScriptedModel(Streams([answer]), opinion_of_it) as server:
        done = await asyncio.to_thread(
            footnote,
            *("eval", str(codes), "--limit", "1", "--judge", "--json"),
            FOOTNOTE_HOME=str(tmp_path / "home"),
            OPENAI_MODEL="scripted",
            OPENAI_BASE_URL=server.base_url,
        )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (opinion,) = result["model_judge"].values()
    assert (opinion["model"], opinion["sentences"], opinion["supported"]) == ("scripted", 1, 0)
    assert result["configuration"]["model"] == "scripted"
    assert "supported" not in json.dumps(result["sets"])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere"], 1, "nowhere"),
        (["nowhere", "--limit", "0"], 2, "--limit"),
        (["nowhere", "--judge"], 2, "OPENAI_MODEL"),
        (["nowhere", "--against", "missing.json"], 1, "missing.json"),
        (["nowhere", "--html", "no-folder/report.html"], 2, "a file in a folder that is there"),
        (["add", "Why?"], 1, "Name the page"),
        (["add", " ", "--expects", "a.md"], 1, "needs a question"),
        (["add", "--expects", "a.md"], 1, "needs a question"),
        (["add", "--from-feedback", "Why?"], 2, "leave out yours"),
        (["add", "--from-feedback"], 2, "SLACK_BOT_TOKEN"),
        (["add", "Why?", "--expects", "a.md", "--unanswerable"], 1, "expects no page"),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_sentence(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    done = footnote("eval", *arguments, "--json", FOOTNOTE_HOME=str(tmp_path))
    assert done.returncode == code, done.stderr
    assert says in json.loads(done.stdout)["error"]["message"]
    assert "Traceback" not in done.stderr
