"""The configuration block: read from the code that is run."""

from importlib.metadata import version
from types import ModuleType

from handlers.answering import extractive
from handlers.judging import figures, intervals, judge
from handlers.judging.recipe import configuration, constants, prompt_files, rows
from index import chunking, follow_ups, keywords, ranking
from tests.doubles.hashing_embedder import HashingEmbedder


def made(model: str = "") -> dict[str, object]:
    return configuration(
        embedder=HashingEmbedder(),
        precision={"documents": "bfloat16"},
        model=model,
        sampling={"TEMPERATURE": 0.0},
        settings={"A": 1},
        run={},
        sets={"s": {"content": "x"}},
    )


def test_it_holds_what_shapes_a_figure_and_no_trace_of_the_machine() -> None:
    block = made()
    found = dict(rows(block))
    assert found["fusion KEYWORD_WEIGHT"] == ranking.KEYWORD_WEIGHT
    assert found["turns TURN_WEIGHT"] == follow_ups.TURN_WEIGHT
    assert found["chunker RECIPE"] == chunking.RECIPE
    assert found["keyword analysis"] == keywords.ANALYSIS
    assert found["quotes FLOOR"] == extractive.FLOOR
    assert found["embedder"] == "hashing-words-1-64"
    assert found["settings A"] == 1
    assert found["sets s content"] == "x"
    assert str(found["model"]).startswith("none")
    assert found["package"]
    assert "answer_prompt.md" in prompt_files()
    assert not any("/" in str(value) for value in found.values())
    assert block | {"date": ""} == made() | {"date": ""}


def test_it_holds_how_figures_are_counted_and_with_which_libraries() -> None:
    found = dict(rows(made()))
    assert found["figures COVERED"] == figures.COVERED
    assert found["intervals SEED"] == intervals.SEED
    assert found["judge RANKED_CHUNKS"] == judge.RANKED_CHUNKS
    for library in ("lancedb", "ir-measures", "onnxruntime", "torch", "tokenizers", "PyStemmer"):
        assert found[f"libraries {library}"] == version(library)
    assert found["precision documents"] == "bfloat16"


def test_how_a_model_is_asked_belongs_to_it_only_where_one_is_asked() -> None:
    assert "sampling TEMPERATURE" not in dict(rows(made()))
    assert dict(rows(made(model="m")))["sampling TEMPERATURE"] == 0.0


def test_every_public_constant_of_a_module_is_part_of_it() -> None:
    module = ModuleType("weights")
    vars(module).update(
        {"NEW_WEIGHT": 0.3, "NAME": "x", "_PRIVATE": 1, "lower": 2, "LIST": [1], "LONG": "x" * 99}
    )
    assert constants(module) == {"NAME": "x", "NEW_WEIGHT": 0.3}
