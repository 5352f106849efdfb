"""Takes out of a model's text all that a reader could follow, open, load or be called by. Pure.

What stays is words, plain punctuation and inline code. An address that stands in an offered passage
stays readable as inline code, which Slack does not turn into a link; a full URL never stays.
"""

import html
import re
import unicodedata

GONE = "…"
"""Stands where an address was."""

_PASSES = 6
_KEPT_CONTROLS = {"\n": "\n", "\t": " ", "\r": "\n", "\u2028": "\n", "\u2029": "\n"}
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.S)
_SLACK = re.compile(r"<[@#!][^<>]*>?")
_SLACK_LINK = re.compile(r"<[a-zA-Z][a-zA-Z0-9+.-]*:[^<>|]*(?:\|([^<>]*))?>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|</?[a-zA-Z][\w-]*(?=\s+\w+\s*=)[^<>]*$")
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)?|\[[^\]]*\])?")
_DEFINITION = re.compile(r"^[ \t]*\[\^?[^\]\n]+\]:[ \t]*<?(?:\w+:|//|www\.|/)\S*.*$", re.M)
_INLINE_LINK = re.compile(r"\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_OPEN_LINK = re.compile(r"\[([^\[\]]*)\]\((?=\s*<?(?:\w+:|//|www\.|/))\S*")
_REFERENCE = re.compile(r"\[(?!\^?\d{1,3}\])([^\[\]]+)\][ ]?\[([^\[\]]*)\]")
_URL = re.compile(
    r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s`]*|(?:https?|ftp|file|wss?):/[^\s`]*"
    r"|\b(?:mailto|javascript|data|vbscript|tel|sms|slack|file|ftp|blob):[^\s`]+"
    r"|(?<![\w:])//[\w-]+\.[^\s`]*"
    r"|(?<![^\W_])www\d*\.[^\s`]+",
    re.I,
)
_SCHEME = re.compile(r"(?:https?|ftp|file|wss?)\s*:\s*/+\s*", re.I)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/[^\s`]*)?(?![\w.])")
_DOMAIN = re.compile(
    r"(?<![^\W_])(?<!@)(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?:[a-z]{2,24}|[A-Z]{2,24}|xn--\w+)(?![a-zA-Z])"
    r"(?:[:/?#][^\s`]*[^\s`.,;:!?)\]])?(?!@)"
)
_AT = re.compile(r"@+(?=\w)|(?<=\w)@+(?!\w)")
_CHANNEL = re.compile(r"(?<![\w&`/])#(?=[\w-]*[^\W\d_])[\w-]+")
_CODE = re.compile(r"(`+)([^`]+)\1")
_STRONG = re.compile(r"(\*\*\*|\*\*|~~)(?=\S)(.+?)(?<=\S)\1", re.S)
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])")
_LINE_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*_](?:[ \t]*[-*_]){2,}[ \t]*$)", re.M)
_LEFT_ANGLE = re.compile(r"<(?![\s\d=])|<$")
_BLANKS = re.compile(r"[ \t]*\n\s*|[ \t]{2,}|[\u00a0\u2000-\u200a\u202f\u205f\u3000]+")


def without_hidden(text: str) -> str:
    """Drop control, zero-width, bidi, tag and variation characters; keep line breaks."""
    kept = (_KEPT_CONTROLS.get(c, "" if _is_hidden(c) else c) for c in text)
    return "".join(kept)


def one_line(text: str) -> str:
    """Return a title or heading of a document as one visible line."""
    return " ".join(without_hidden(text).split())


def clean(text: str, known: str = "") -> str:
    """Return the text of a sentence without links, images, mentions, HTML and hidden characters.

    ``known`` is the text of the offered passages: an e-mail address, a host or file name or a
    ``#channel`` that stands in it is kept as inline code, any other becomes an ellipsis. Citation
    marks stay. Returns "" when the text does not settle, which only constructed text does.
    """
    for _ in range(_PASSES):
        cleaned = _pass(text, known)
        if cleaned == text:
            return cleaned
        text = cleaned
    return ""


def clean_code(text: str) -> str:
    """Return a block of code without URLs, mentions and hidden characters, lines kept."""
    lines = (_AT.sub("", _SLACK.sub("", _URL.sub(GONE, line))) for line in _unhidden_lines(text))
    return "\n".join(line.replace("`", "'").rstrip() for line in lines)


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or character in "\u115f\u1160\u3164\uffa0\u2800"
    )


def _unhidden_lines(text: str) -> list[str]:
    return without_hidden(html.unescape(text)).split("\n")


def _pass(text: str, known: str) -> str:
    text = without_hidden(html.unescape(text))
    for pattern in (_COMMENT, _SLACK):
        text = pattern.sub("", text)
    text = _SLACK_LINK.sub(lambda m: m[1] or GONE, text)
    for pattern in (_TAG, _DEFINITION, _IMAGE):
        text = pattern.sub("", text)
    text = _INLINE_LINK.sub(_label, text)
    text = _OPEN_LINK.sub(_label, text)
    text = _REFERENCE.sub(_referenced, text)
    text = _URL.sub(GONE, text)
    text = _SCHEME.sub(GONE, text)
    text = _LINE_MARKS.sub("", text)
    text = _STRONG.sub(r"\2", text)
    text = _EMPHASIS.sub(r"\1", text)
    text = _LEFT_ANGLE.sub("‹", text)
    text = text.replace("](", "] (").replace("![", "! [")
    pieces: list[str] = []
    at = 0
    for span in _CODE.finditer(text):
        pieces.append(_addresses(text[at : span.start()].replace("`", ""), known, "`"))
        pieces.append(f"`{_addresses(span[2], known, '').strip()}`")
        at = span.end()
    pieces.append(_addresses(text[at:].replace("`", ""), known, "`"))
    joined = re.sub(r"…(?:\s*…)+", GONE, "".join(piece for piece in pieces if piece != "``"))
    return _BLANKS.sub(" ", joined).strip()


def _label(link: re.Match[str]) -> str:
    label = link[1].strip()
    return f"[{label}]" if re.fullmatch(r"\^?\d{1,3}", label) else label


def _referenced(link: re.Match[str]) -> str:
    kept = f" [{link[2]}]" if re.fullmatch(r"\^?\d{1,3}", link[2]) else ""
    return link[1] + kept


def _addresses(text: str, known: str, quote: str) -> str:
    """Settle addresses outside (``quote`` is a backtick) or inside (it is empty) inline code."""

    def settle(found: re.Match[str]) -> str:
        return f"{quote}{found[0]}{quote}" if found[0] in known else GONE

    def channel(found: re.Match[str]) -> str:
        return f"{quote}{found[0]}{quote}" if found[0] in known else found[0][1:]

    kept: list[str] = []
    rest = text
    while rest:
        found = min(
            (m for p in (_EMAIL, _DOMAIN, _IP, _CHANNEL) if (m := p.search(rest))),
            key=lambda m: (m.start(), -m.end()),
            default=None,
        )
        if found is None:
            break
        kept.append(_AT.sub("", rest[: found.start()]))
        kept.append(channel(found) if found[0].startswith("#") else settle(found))
        rest = rest[found.end() :]
    kept.append(_AT.sub("", rest))
    return "".join(kept)
