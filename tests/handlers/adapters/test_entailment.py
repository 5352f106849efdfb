"""The adapter reads which output is which, loads late, and says what is wrong with a model."""

import subprocess
import sys
from pathlib import Path

import pytest

from handlers.adapters.entailment import CrossEncoderEntailment
from handlers.answering.entailment import EntailmentUnavailable
from tests.doubles.tiny_entailment import relabel, write_tiny_entailment

PAIRS = [("Alcohol is not reimbursed.", "Alcohol is paid."), ("One two three.", "Four five six.")]
LABELS = ["contradiction", "entailment", "neutral"]


def test_the_order_of_the_labels_is_read_from_the_model(tmp_path: Path) -> None:
    folder = write_tiny_entailment(tmp_path / "model", LABELS)
    first = CrossEncoderEntailment(str(folder)).judge(PAIRS)
    relabel(folder, ["ENTAILMENT", "CONTRADICTION", "NEUTRAL"])
    turned = CrossEncoderEntailment(str(folder)).judge(PAIRS)
    assert [(j.entailment, j.contradiction) for j in first] == [
        (pytest.approx(j.contradiction), pytest.approx(j.entailment)) for j in turned
    ]
    assert len({j.entailment for j in first}) == 2
    assert all(0 <= p <= 1 for j in first for p in (j.entailment, j.contradiction))
    assert all(j.entailment + j.contradiction < 1 for j in first)


def test_a_model_without_contradiction_contradicts_nothing(tmp_path: Path) -> None:
    folder = write_tiny_entailment(tmp_path / "model", ["not_entailment", "entailment"])
    assert [j.contradiction for j in CrossEncoderEntailment(str(folder)).judge(PAIRS)] == [0, 0]


@pytest.mark.parametrize("labels", [["LABEL_0", "LABEL_1", "LABEL_2"], ["neutral", "opposite"]])
def test_a_model_that_names_no_entailment_is_refused(tmp_path: Path, labels: list[str]) -> None:
    folder = write_tiny_entailment(tmp_path / "model", labels)
    with pytest.raises(EntailmentUnavailable, match="none of several is entailment"):
        CrossEncoderEntailment(str(folder)).judge(PAIRS)


def test_a_folder_without_a_model_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    for folder, why in ((tmp_path, "names no labels"), (tmp_path / "no", "no folder")):
        with pytest.raises(EntailmentUnavailable, match=why):
            CrossEncoderEntailment(str(folder)).judge(PAIRS)


def test_weights_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    folder = write_tiny_entailment(tmp_path / "model", LABELS)
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(EntailmentUnavailable, match="FOOTNOTE_ENTAILMENT_MODEL"):
        CrossEncoderEntailment(str(folder)).judge(PAIRS)


def test_nothing_heavy_is_loaded_before_the_first_question() -> None:
    code = (
        "import sys; from handlers.adapters.entailment import CrossEncoderEntailment;"
        "CrossEncoderEntailment('some/model').judge([]);"
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
