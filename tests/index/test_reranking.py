"""The optional cross-encoder: real code on random weights, and what it costs when it is off."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sentence_transformers import CrossEncoder

from index.chunking import searchable_text
from index.documents import Chunk, Passage
from index.errors import RerankerUnavailable
from index.reranking import CrossEncoderReranker, reordered
from tests.doubles.tiny_model import write_tiny_cross_encoder

ROOT = Path(__file__).parents[2]
TEXTS = ["Leave is thirty days.", "The printer is on the second floor.", "", "leave " * 2_000]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny-reranker")


def test_it_gives_each_text_the_score_that_the_model_gives_the_pair(model: Path) -> None:
    reranker = CrossEncoderReranker(str(model))
    scores = reranker.scores("How much leave?", TEXTS)
    reference = CrossEncoder(str(model), local_files_only=True)
    expected = [float(reference.predict([("How much leave?", text)])[0]) for text in TEXTS]
    assert scores == pytest.approx(expected, abs=1e-5)
    assert len(set(scores)) == len(TEXTS)
    assert reranker.name == str(model)
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: reranker.scores("How much leave?", TEXTS), range(4)))
    assert all(one == pytest.approx(scores, abs=1e-5) for one in again)


def test_the_best_are_ordered_by_it_with_their_title_and_the_rest_stays(model: Path) -> None:
    passages = [
        Passage(
            Chunk(f"c{n}", "d", n, ("Outer",), text, 0, len(text)),
            "s",
            "Title",
            "u",
            1 - n / 10,
            0.5,
            frozenset(),
        )
        for n, text in enumerate([*TEXTS, "further down"])
    ]
    reranker = CrossEncoderReranker(str(model))
    ranked, scores = reordered(reranker, "leave", passages, 4)
    read = [searchable_text("Title", one.chunk) for one in passages[:4]]
    assert list(scores.values()) == pytest.approx(reranker.scores("leave", read), abs=1e-5)
    assert list(scores) == [one.chunk.id for one in passages[:4]]
    order = sorted(range(4), key=lambda n: -list(scores.values())[n])
    assert [one.chunk.ordinal for one in ranked] == [*order, 4]
    assert reordered(reranker, "leave", [], 4) == ([], {})


def test_a_model_that_gives_several_numbers_is_refused(tmp_path: Path) -> None:
    classifier = write_tiny_cross_encoder(tmp_path / "classifier", labels=3)
    with pytest.raises(RerankerUnavailable, match="no reranker; name another"):
        CrossEncoderReranker(str(classifier)).scores("leave", TEXTS)


def test_a_model_that_is_not_there_or_broken_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="There is no folder"):
        CrossEncoderReranker(str(tmp_path / "nowhere")).scores("leave", TEXTS)
    broken = write_tiny_cross_encoder(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(RerankerUnavailable, match="check what FOOTNOTE_RERANKER names"):
        CrossEncoderReranker(str(broken)).scores("leave", TEXTS)


def test_a_search_without_it_loads_nothing_of_it() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import index.retrieval\n"
        "print({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n"
