"""The prompts as they stand in their files, and what identifies them.

A file holds a version, what the model is told (the system message) and the frame of what it is
asked, parted by lines of three dashes. ``{slots}`` of the frame are filled once: what a slot brings
along is not looked at for slots again. A paragraph with a slot that stays empty is left out.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_PARTS = re.compile(r"^---$", re.M)
_VERSION = re.compile(r"version: ([a-z]+-\d+)\s*")
_SLOT = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. ``fingerprint`` is a hash of the whole file: it changes with any word."""

    version: str
    system: str
    frame: str
    fingerprint: str

    def filled(self, slots: Mapping[str, str]) -> str:
        """Return the frame with its slots filled. Raises KeyError for a slot that is not given."""
        kept = [
            _SLOT.sub(lambda slot: slots[slot[1]], paragraph)
            for paragraph in self.frame.split("\n\n")
            if all(slots[name] for name in _SLOT.findall(paragraph))
        ]
        return "\n\n".join(kept)


@cache
def prompt(name: str) -> Prompt:
    """Return the prompt that stands in ``name``_prompt.md beside this file.

    Raises ValueError when the file has no version, or not its three parts.
    """
    text = files(__package__).joinpath(f"{name}_prompt.md").read_text(encoding="utf-8")
    return read_prompt(text)


def read_prompt(text: str) -> Prompt:
    """Read a prompt out of the text of its file. Raises ValueError like ``prompt``."""
    parts = _PARTS.split(text)
    version = _VERSION.fullmatch(parts[0])
    if version is None or len(parts) != 3:
        raise ValueError(
            "A prompt file holds 'version: NAME-NUMBER', the system message and the frame, "
            "parted by lines of three dashes."
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Prompt(version[1], parts[1].strip(), parts[2].strip(), digest)
