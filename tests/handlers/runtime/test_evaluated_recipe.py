"""No figure without its recipe: whatever shapes one is named when it changes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from handlers.judging.recipe import changes
from handlers.runtime import wiring
from handlers.runtime.answerers import answering
from handlers.runtime.evaluated_recipe import evaluated_recipe
from handlers.runtime.settings import Settings
from index.embedding import SentenceTransformerEmbedder
from index.embedding_torch import load
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.tiny_model import write_tiny_cross_encoder, write_tiny_model

ROOT = Path(__file__).parents[3]

OTHER = {
    "reranker": "./another/cross-encoder-1",
    "reranked": "31",
    "passages": "9",
    "context_characters": "5999",
    "openai_model": "another",
    "model_window": "4096",
    "rewrite": "OFF",
    "refusal_floor": "0.3",
    "entailment_model": "./another/entailment-1",
}
APART = {
    *("openai_api_key", "openai_base_url", "model_price_in", "model_price_out"),
    *("model_first_token_seconds", "answer_seconds"),
}
"""Addresses, keys, prices and patience."""


class NotedSettings(Settings):
    """Settings that note which of them are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in Settings.__dataclass_fields__:
            NotedSettings.read.add(name)
        return super().__getattribute__(name)


def settings(tmp_path: Path, **given: str) -> Settings:
    return Settings.load({"FOOTNOTE_HOME": str(tmp_path), **given})


def block(given: Settings) -> dict[str, object]:
    embedder = HashingEmbedder()
    return evaluated_recipe(given, asking=embedder, indexing=embedder, run={}, sets={})


async def test_each_setting_that_search_and_answers_read_changes_it(tmp_path: Path) -> None:
    plain = settings(tmp_path, OPENAI_MODEL="one", OPENAI_BASE_URL="http://localhost:9/v1")
    noted = NotedSettings.load(
        {
            "FOOTNOTE_HOME": str(tmp_path),
            "OPENAI_MODEL": "one",
            "OPENAI_BASE_URL": "http://localhost:9/v1",
        }
    )
    embedder = HashingEmbedder()
    async with wiring.opened_index(plain, embedder) as index:
        NotedSettings.read.clear()
        wiring.retriever(noted, index, embedder)
        assert {"reranker", "reranked", "passages"} <= NotedSettings.read
        async with answering(noted, embedder):
            pass
    read = NotedSettings.read - APART
    assert read <= OTHER.keys(), "a setting is read of which nobody said whether it counts"
    before = block(plain)
    for name in read:
        found = changes(before, block(plain.replaced(**{name: OTHER[name]})))
        assert len(found) == 1, name


def test_addresses_keys_prices_and_patience_are_no_part_of_it(tmp_path: Path) -> None:
    other = settings(
        tmp_path / "elsewhere",
        OPENAI_BASE_URL="http://elsewhere/v1",
        OPENAI_API_KEY="sk-secret",
        FOOTNOTE_MODEL_PRICE_IN="3",
        FOOTNOTE_ANSWER_SECONDS="99",
        FOOTNOTE_MODEL_FIRST_TOKEN_SECONDS="99",
    )
    assert changes(block(settings(tmp_path)), block(other)) == []


@pytest.mark.parametrize("name", ["FOOTNOTE_RERANKER", "FOOTNOTE_ENTAILMENT_MODEL"])
def test_a_model_is_named_by_what_its_folder_holds_and_not_by_where_it_lies(
    tmp_path: Path, name: str
) -> None:
    folder = write_tiny_cross_encoder(tmp_path / "one" / "cross")
    moved = shutil.copytree(folder, tmp_path / "two" / "cross")
    before = block(settings(tmp_path, **{name: str(folder)}))
    assert str(tmp_path) not in json.dumps(before)
    assert changes(before, block(settings(tmp_path, **{name: str(moved)}))) == []
    (moved / "config.json").write_text((moved / "config.json").read_text() + " ")
    (changed,) = changes(before, block(settings(tmp_path, **{name: str(moved)})))
    assert changed.name == f"settings {name}"


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_it_tells_in_which_precision_documents_are_embedded(tmp_path: Path, precision: Any) -> None:
    folder = write_tiny_model(tmp_path / "tiny")
    indexing = SentenceTransformerEmbedder(folder, precision=precision)
    made = evaluated_recipe(
        settings(tmp_path), asking=HashingEmbedder(), indexing=indexing, run={}, sets={}
    )
    told: Any = made["precision"]
    loaded = {str(one.dtype) for one in load(folder, precision=precision).parameters()}
    assert {f"torch.{told['documents']}"} == loaded


PRINTED = """
import json, tempfile
from pathlib import Path
from handlers.runtime.evaluated_recipe import evaluated_recipe
from handlers.runtime.settings import Settings

class Embedder:
    name = "none"

given = Settings.load(
    {
        "FOOTNOTE_HOME": tempfile.gettempdir(),
        "OPENAI_MODEL": "one",
        "OPENAI_BASE_URL": "http://localhost:9/v1",
    }
)
one = Embedder()
print(json.dumps(evaluated_recipe(given, asking=one, indexing=one, run={}, sets={})))
"""


def test_changed_code_is_named_by_its_constant_or_its_package(tmp_path: Path) -> None:
    for package in ("bot", "handlers", "index"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)

    def printed() -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", PRINTED],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def change(name: str, how: Callable[[str], str]) -> None:
        text = (tmp_path / name).read_text("utf-8")
        assert how(text) != text
        (tmp_path / name).write_text(how(text), "utf-8")

    before = printed()
    assert changes(before, printed()) == []
    change("handlers/judging/figures.py", lambda text: text.replace("COVERED = 0.5", "COVERED = 1"))
    change(
        "handlers/adapters/openai_model.py",
        lambda text: text.replace("TEMPERATURE = 0.0", "TEMPERATURE = 0.7"),
    )
    change("handlers/adapters/entailment.py", lambda text: text + "\n")
    change("bot/conversation.py", lambda text: text + "\n")
    assert {one.name for one in changes(before, printed())} == {
        "figures COVERED",
        "code handlers.judging",
        "sampling TEMPERATURE",
        "code handlers.adapters.openai_model",
        "code handlers.adapters.entailment",
        "code bot.conversation",
    }
