"""Reads a ``.env`` file: the subset that every tool reads the same way. Pure."""

import re

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?""")
_COMMENT = re.compile(r"(?:^|\s+)#.*")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def parse_env_file(content: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables, and what is wrong, by line number and without showing a value.

    One ``NAME=value`` a line, ``export`` allowed; ``#`` starts a comment; quotes keep spaces and
    ``#``; inside double quotes a backslash escapes. Nothing is expanded.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(content.removeprefix("\ufeff").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _LINE.fullmatch(stripped)
        if found is None:
            problems.append(f"line {number} is not NAME=value.")
            continue
        name, rest = found.groups()
        quoted = _QUOTED.fullmatch(rest)
        if quoted is not None:
            double, single = quoted.groups()
            values[name] = single if double is None else _ESCAPE.sub(_unescape, double)
        elif rest[:1] in ("'", '"'):
            problems.append(f"line {number} ({name}) has a quote that is not closed.")
        else:
            values[name] = _COMMENT.sub("", rest).strip()
    return values, problems


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])
