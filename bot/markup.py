"""Text on its way into Slack and out of it: escaping, cutting, and making markdown inert. Pure.

Slack writes markup in angle brackets (``<@U1>``, ``<!channel>``, ``<https://x|y>``) and decodes
exactly three entities (https://docs.slack.dev/messaging/formatting-message-text). Markdown adds
links, images, reference definitions and auto-links. Text from documents and models must never
become any of these, so everything passes through this module.
"""

import re
from urllib.parse import urlsplit

ELLIPSIS = "…"
URL_LIMIT = 3_000  # a button's url, the longest that Slack takes anywhere

_JOINER = "\u2060"  # zero width; keeps two characters from being read as markup
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_FENCE = re.compile(r"(?ms)^```[\w+#.-]*\n.*?\n```[ \t]*$")
_CODE = re.compile(r"`([^`\n]{1,300})`")
_ADDRESS = re.compile(
    r"(?i)[a-z][a-z0-9+.-]{0,30}://[^\s`<>]+"
    r"|(?:mailto|tel|xmpp):[^\s`<>]+"
    r"|(?<!\w)www\.[^\s`<>]+"
    r"|(?<!\w)(?:[\w.+-]{1,64}@)?(?:[\w-]{1,63}\.){1,10}[^\W\d_]{2,24}(?![^\W_])"
    r"(?:[/:?#][^\s`<>]*)?"
)
_TRAILING = ".,;:!?)]}'\"*_~"
_LINKISH = re.compile(r"\](?=[(\[:])|!(?=\[)")
_MARK = re.compile(r"\[(\d{1,6})\]")
_ROOM = re.compile(r"(?i)@(?=(?:here|channel|everyone)\b)")
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~]|\Z)")
_INCOMING = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def width(text: str) -> int:
    """Return the length in UTF-16 units: what Slack counts, and never less than the characters."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """Return ``text``, or its beginning and an ellipsis, at most ``limit`` UTF-16 units long."""
    if width(text) <= limit:
        return text
    kept, room = [], limit - 1
    for character in text:
        room -= 2 if ord(character) > 0xFFFF else 1
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + ELLIPSIS if limit > 0 else ""


def escape(text: str, limit: int = 0) -> str:
    """Return ``text`` with Slack's three entities, on one or more lines.

    With a ``limit`` the result is at most that many UTF-16 units, and no entity is cut in two.
    """
    clean = _INVISIBLE.sub("", text)
    whole = clean.translate(_ENTITIES)
    if not limit or width(whole) <= limit:
        return whole
    kept, room = [], limit - 1
    for character in clean:
        escaped = character.translate(_ENTITIES)
        room -= width(escaped)
        if room < 0:
            break
        kept.append(escaped)
    return "".join(kept).rstrip() + ELLIPSIS


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space."""
    return " ".join(text.split())


def web_url(url: str) -> str:
    """Return ``url`` fit for a link, or "" unless it is a plain http(s) address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    if any(character.isspace() or ord(character) < 33 for character in url) or "\\" in url:
        return ""
    if _INVISIBLE.search(url):
        return ""
    for character in "<>|\"`'*_~":
        url = url.replace(character, f"%{ord(character):02X}")
    return url if width(url) <= URL_LIMIT else ""


def inert_markdown(text: str) -> str:
    """Return markdown that keeps emphasis, lists and code, but cannot link, mention or show images.

    ``& < >`` become entities. Addresses, with or without a scheme, become inline code, which Slack
    does not link. ``](``, ``][``, ``]:`` and ``![`` get a space in between. ``[3]`` becomes
    ``(3)``, because only code may set footnote marks. Backticks without a partner become
    apostrophes and backslashes are doubled where they would escape, so that nothing opens or closes
    a code span but what is paired inside this very text.
    """
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    out: list[str] = []
    position = 0
    for fence in _FENCE.finditer(text):
        out.append(_inline(text[position : fence.start()]))
        out.append(_inside_code(fence.group()))
        position = fence.end()
    out.append(_inline(text[position:]))
    return "".join(out)


def _inline(text: str) -> str:
    out: list[str] = []
    position = 0
    for code in _CODE.finditer(text):
        out.append(_prose(text[position : code.start()]))
        out.append(_inside_code(code.group()))
        position = code.end()
    out.append(_prose(text[position:]))
    return "".join(out)


def _inside_code(text: str) -> str:
    """Break angle-bracket markup inside code, where an entity would be shown as written."""
    return re.sub(r"<(?=[@#!a-zA-Z/])", f"<{_JOINER}", _ROOM.sub(f"@{_JOINER}", text))


def _prose(text: str) -> str:
    text = text.replace("`", "'")
    out: list[str] = []
    position = 0
    for address in _ADDRESS.finditer(text):
        shown = address.group().rstrip(_TRAILING)
        if not shown:
            continue
        out.append(_words(text[position : address.start()]))
        out.append(f"`{_inside_code(cut(shown, 300))}`")
        position = address.start() + len(shown)
    out.append(_words(text[position:]))
    return "".join(out)


def _words(text: str) -> str:
    text = _MARK.sub(r"(\1)", text)
    text = _LINKISH.sub(lambda found: found.group() + " ", text)
    text = _ROOM.sub(f"@{_JOINER}", text)
    text = _ESCAPE.sub(r"\\\\", text)
    text = re.sub("~{3,}", "~~", text)
    return text.translate(_ENTITIES)


def plain_text(text: str, bot_user_id: str = "") -> str:
    """Return what a person wrote, without Slack's markup and without the mention of the bot.

    Links keep their label, channels their name; people become "@name", or "@someone" when Slack
    sent no name.
    """

    def spoken(found: re.Match[str]) -> str:
        kind, target, label = found.group(1), found.group(2), found.group(3) or ""
        if kind == "@":
            if bot_user_id and target == bot_user_id:
                return " "
            return f"@{label}" if label else "@someone"
        if kind == "#":
            return f"#{label}" if label else "#channel"
        if kind == "!":
            return label or "@" + target.partition("^")[0]
        return label or target.removeprefix("mailto:").removeprefix("tel:")

    spoken_text = _INCOMING.sub(spoken, text)
    for character, entity in (("<", "&lt;"), (">", "&gt;"), ("&", "&amp;")):
        spoken_text = spoken_text.replace(entity, character)
    lines = [" ".join(line.split(" ")).rstrip() for line in spoken_text.splitlines()]
    return re.sub(r"[ \t]{2,}", " ", "\n".join(lines)).strip()
