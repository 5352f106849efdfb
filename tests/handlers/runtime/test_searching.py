"""`footnote search`: the ranking, and why it is as it is."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlers.__main__ import main
from tests.doubles.scripted_embeddings import ScriptedEmbeddings

Ask = Callable[..., str]

PAGES = {
    "leave.md": "# Leave\n\nEmployees have thirty days of leave.\n",
    "copy.md": "# A copy\n\nEmployees have thirty days of leave.\n",
    "travel.md": "# Travel\n\nTrips are booked by the office. Trains come first.\n",
}


@pytest.fixture
def asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Ask]:
    """Index three pages, and return a function that runs `footnote search`."""
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, "utf-8")
    with ScriptedEmbeddings() as server:
        monkeypatch.setenv("FOOTNOTE_EMBEDDER", "openai:words")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.chdir(tmp_path)
        home = ["--home", str(tmp_path / "home")]
        assert main(["sync", "--docs", str(tmp_path), *home]) == 0
        capsys.readouterr()

        def ask(*arguments: str) -> str:
            assert main(["search", *home, *arguments]) == 0
            return capsys.readouterr().out

        yield ask


def test_the_ranking_is_listed_best_first(asked: Ask) -> None:
    printed = asked("days of leave")
    assert printed.index("Leave") < printed.index("Travel")
    found = json.loads(asked("days of leave", "--json"))
    assert found["question"] == found["searched"] == "days of leave"
    assert [one["rank"] for one in found["ranking"]] == [1, 2, 3]
    assert found["ranking"][0]["title"] == "Leave"
    assert found["filters"] == []


def test_an_explanation_shows_scores_filters_and_what_was_left_out(asked: Ask) -> None:
    question = "What is new about days of leave since 2001-01-01?"
    printed = asked(question, "--explain")
    assert "only pages updated since 2001-01-01" in printed
    assert "searched for “What is new about days of leave?”" in printed
    assert "left out: says the same as 1" in printed
    assert "in the context" in printed and "cosine" in printed and "BM25" in printed
    found = json.loads(asked(question, "--explain", "--json"))
    assert found["filters"] == ["only pages updated since 2001-01-01"]
    fates = {row["title"]: row["fate"] for row in found["considered"]}
    assert fates == {"Leave": "taken", "A copy": "duplicate", "Travel": "taken"}
    best = found["considered"][0]
    assert best["keyword"] > 0 and 0 < best["coverage"] <= 1 and best["similarity"] > 0
    assert found["reranker"] == "" and found["earlier"] == []


def test_a_question_that_finds_nothing_says_so(asked: Ask) -> None:
    assert "Nothing was found." in asked("leave before:2001-01")


def test_no_index_is_told_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["search", "leave", "--json", "--home", str(tmp_path / "home")]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "IndexMissing"
