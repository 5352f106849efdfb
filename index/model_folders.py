"""Where the models lie that an operator names, and what tells one vector space from another."""

import hashlib
import json
from pathlib import Path

from index.errors import EmbedderUnavailable
from index.weights import PUBLISHED_NAME, PUBLISHED_SHA256, WEIGHTS, sha256_of

_SETTINGS = (
    "modules.json",
    "config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "tokenizer.json",
)
"""Files that change vectors although the weights are the same: pooling, prompts, longest input."""

_OTHER_RUNTIMES = ("onnx", "openvino", "coreml")
_NOT_NEEDED = [
    *(f"{folder}/*" for folder in _OTHER_RUNTIMES),
    *("*.onnx", "*.h5", "*.msgpack", "*.ot", "*.tflite", "*.gguf", "*.md", "*.png"),
]


def model_folder(name: str) -> Path:
    """Return the folder of a model: ``name`` itself, or what the model hub has by that name.

    A name is looked up on the hub once; from then on its files are in the hub's cache on this
    machine. Raises EmbedderUnavailable.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise EmbedderUnavailable(f"There is no folder {name} with a model; check the path.")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError as error:
        raise EmbedderUnavailable(
            f"The model {name} is no folder here, and fetching it needs the package {error.name};"
            " install it with pip, or name a folder."
        ) from error
    try:
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name, ignore_patterns=_NOT_NEEDED))
    except Exception as error:  # the hub's client raises whatever its HTTP client does
        raise EmbedderUnavailable(
            f"The model {name} is no folder here, and the model hub did not give it"
            f" ({type(error).__name__}); check the name and the connection, or name a folder."
        ) from error


def model_at_hand(name: str) -> Path | None:
    """Return the folder of a model as ``model_folder`` does, or None; nothing is fetched."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(name, local_files_only=True))
    except Exception:  # no package, no such model in its cache, or no name of one
        return None


def space_name(folder: Path) -> str:
    """Return the name of the vector space of the model in ``folder``.

    Two folders have one name exactly if weights, pooling, prompts and tokenizer are equal, since
    only then may their vectors be compared. Raises EmbedderUnavailable if there are no weights.
    """
    first = folder / WEIGHTS
    if first.is_file() and sha256_of(first) == PUBLISHED_SHA256 and not prompts_of(folder):
        return PUBLISHED_NAME
    weights = sorted(
        path
        for pattern in ("*.safetensors", "pytorch_model*.bin")
        for path in folder.rglob(pattern)
        if not set(_OTHER_RUNTIMES) & set(path.relative_to(folder).parts)
    )
    settings = sorted(path for name in _SETTINGS for path in folder.rglob(name))
    digest = hashlib.sha256()
    for path in [*(weights or [first]), *settings]:
        digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return f"{_label(folder)}-{digest.hexdigest()[:12]}"


def prompts_of(folder: Path) -> dict[str, str]:
    """Return what the model in ``folder`` wants put in front of a text, by what the text is for.

    The names are those of sentence-transformers: "query", "document", "passage". Empty prompts are
    left out. Raises EmbedderUnavailable if the file that says it is broken.
    """
    path = folder / "config_sentence_transformers.json"
    if not path.is_file():
        return {}
    try:
        prompts = json.loads(path.read_text("utf-8")).get("prompts") or {}
        return {str(name): str(text) for name, text in prompts.items() if text}
    except (OSError, ValueError, AttributeError) as error:
        raise EmbedderUnavailable(f"{path} cannot be read; install the model again.") from error


def longest_input(folder: Path) -> int | None:
    """Return how many word pieces the model in ``folder`` reads; None if it leaves that open.

    Raises EmbedderUnavailable if the file that says it is broken.
    """
    path = folder / "sentence_bert_config.json"
    if not path.is_file():
        return None
    try:
        longest = json.loads(path.read_text("utf-8")).get("max_seq_length")
        return None if longest is None else int(longest)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise EmbedderUnavailable(
            f"{path} does not say how much the model reads; install the model again."
        ) from error


def _label(folder: Path) -> str:
    """Return what people call the model: the hub keeps it in models--OWNER--NAME/snapshots/HASH."""
    folder = folder.resolve()
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.rpartition("--")[2]
    return folder.name
