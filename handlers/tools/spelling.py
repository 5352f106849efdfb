"""Whether a text names something: strictly for what was asked, else leniently. Pure.

Texts are compared as they read: letters in one case, compatible characters and all digits as one,
blanks as one, and nothing that cannot be seen. What was asked for must then stand there as it is:
``site.example`` is not named by ``our-site.example``. In text from outside it is found in other
spellings as well, spaced out, with marks inside, or with letters of another alphabet.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_SHORTEST_NUMBER: Final = 6
_SHORTEST_NAME: Final = 5
_SHORTEST_ACCOUNT: Final = 15
_LONGEST_CODE: Final = 40

_SIGNS: Final = "#@<>*_~`'\"()[]"
_GROUPED = r"[ -]?"
_BEFORE_NAME = r"(?<![\w.+-])"
_AFTER_NAME = r"(?![\w@]|\.\w|-(?!(?:channel|kanal|repo(?:sitory)?|project|projekt|liste?)\b)\w)"
"""What may come behind a name: German and English add what it is a name of, as in ops-channel."""

_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458"
    "\u0501\u051b\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131\u0585\u0570",
    "abekmhopctyxsijdqaeikvoptuxioh",
)
"""Cyrillic, Greek and Armenian small letters that read as Latin ones; as many as are exchanged."""


def shown(text: str) -> str:
    """Return a text without what cannot be seen, its characters and digits in their plain form."""
    plain = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c
        for c in unicodedata.normalize("NFKC", plain)
    )


def read(text: str) -> str:
    """Return a text as it reads. What is invisible goes first, so that it cannot part a word."""
    return " ".join(shown(text).casefold().split())


@dataclass(frozen=True)
class ReadText:
    """A text as it reads."""

    text: str

    def names(self, wanted: str) -> bool:
        """Tell whether an address, an account or a name stands here as it is.

        Of an account and a number the groups may be others.
        """
        name = _bare(wanted)
        if re.search(_BEFORE_NAME + re.escape(name) + _AFTER_NAME, self.text):
            return True
        return self._has_code(wanted)

    def says(self, value: str) -> bool:
        """Tell whether a value stands here, perhaps in other groups."""
        return _found(_bare(value), self.text) >= 0 or self._has_code(value)

    def place(self, wanted: str) -> tuple[int, int] | None:
        """Return where a value stands here, as it is or spelled in another way, or None."""
        name = _bare(wanted)
        at = _found(name, self.text)
        if at >= 0:
            return at, at + len(name)
        return self._spelled(_joined(wanted.translate(_LOOKALIKES)))

    def _has_code(self, wanted: str) -> bool:
        code = _joined(wanted)
        if not code.isascii() or not any(map(str.isdigit, code)) or len(code) > _LONGEST_CODE:
            return False
        if _ungrouped(wanted, code) != code:
            return False
        form = _GROUPED.join(code)
        # What begins or ends in the middle of a longer one is another one.
        before = r"(?<!\w)(?<!\w-)" + (r"(?<!\d )" if code[0].isdigit() else "")
        after = r"(?!-?\w)" + (r"(?! \d)" if code[-1].isdigit() else "")
        return re.search(before + form + after, self.text) is not None

    def _spelled(self, joined: str) -> tuple[int, int] | None:
        number = sum(map(str.isdigit, joined)) >= _SHORTEST_NUMBER
        if not number and len(joined) < _SHORTEST_NAME:
            return None
        at = self._joined.find(joined)
        while at >= 0:
            begins, ends = self._places[at], self._places[at + len(joined) - 1] + 1
            whole = not self.text[begins - 1 : begins].isalnum() and (
                not self.text[ends : ends + 1].isalnum()
            )
            if whole or number:
                return begins, ends
            at = self._joined.find(joined, at + 1)
        return None

    @cached_property
    def _joined(self) -> str:
        return _joined(self.text.translate(_LOOKALIKES))

    @cached_property
    def _places(self) -> list[int]:
        return [at for at, letter in enumerate(self.text) if letter.isalnum()]


def _bare(wanted: str) -> str:
    """Return a name without the signs of Slack and Markdown around it."""
    return wanted.strip(_SIGNS) or wanted


def _joined(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _ungrouped(wanted: str, code: str) -> str:
    """Return a value without what may group it. Dots group an account; in a number they part it."""
    long_account = len(code) >= _SHORTEST_ACCOUNT and code[0].isalpha()
    return re.sub(r"[ ./_-]" if long_account else r"[ -]", "", wanted)


def _found(wanted: str, text: str) -> int:
    at = text.find(wanted)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(wanted) : at + len(wanted) + 1]
        inside = (before.isalnum() and wanted[0].isalnum()) or (
            after.isalnum() and wanted[-1].isalnum()
        )
        if not inside:
            return at
        at = text.find(wanted, at + 1)
    return -1
