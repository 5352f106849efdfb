"""An e-mail as a file: who wrote what to whom and when, and the names of what was attached."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Final, cast

from index.formats import Refused, html
from index.formats.decoding import decoded
from index.formats.outline import Outline, one_line
from index.formats.plain import with_line_feeds

_SHOWN = ("From", "To", "Cc", "Date")
_LONGEST_HEADER = 1_000
MOST_PARTS: Final = 1_000
"""Boundaries of parts; each message inside a message has its own."""


def read(content: bytes) -> Outline:
    """Return the outline of a message. Raises Refused."""
    if content.count(b"\n--") > 50 * MOST_PARTS or content.lower().count(b"boundary") > MOST_PARTS:
        raise Refused(f"holds more than {MOST_PARTS:,} parts inside each other; save them apart")
    try:
        message = BytesParser(policy=policy.default).parsebytes(content)
    except RecursionError as error:
        raise Refused("holds messages inside of messages without end; save them apart") from error
    outline = Outline(title=_header(message, "Subject"))
    if not (message.keys() and any(_header(message, name) for name in (*_SHOWN, "Subject"))):
        raise Refused("has no header of an e-mail; save it anew from your mail program")
    close = False
    if outline.title:
        outline.heading(outline.title, 1)
    for name in _SHOWN:
        value = _header(message, name)
        if value:
            outline.paragraph(f"{name}: {value}", close=close)
            close = True
    _write_body(message, outline)
    return outline


def _write_body(message: EmailMessage, outline: Outline) -> None:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is not None:
        _write(cast(EmailMessage, body), outline)
    for part in message.iter_attachments():
        name = one_line(part.get_filename() or "")
        if part.get_content_type() == "message/rfc822":
            for inner in part.iter_parts():
                _write_forwarded(cast(EmailMessage, inner), outline)
        elif name:
            outline.paragraph(f"Attachment: {name}")


def _write_forwarded(message: EmailMessage, outline: Outline) -> None:
    outline.heading(_header(message, "Subject"), 2)
    close = False
    for name in _SHOWN:
        value = _header(message, name)
        if value:
            outline.paragraph(f"{name}: {value}", close=close)
            close = True
    body = message.get_body(preferencelist=("plain", "html"))
    if body is not None:
        _write(cast(EmailMessage, body), outline)


def _write(body: EmailMessage, outline: Outline) -> None:
    content = body.get_payload(decode=True)
    if not isinstance(content, bytes):
        return
    markup = body.get_content_subtype() == "html"
    text = decoded(content, charset=str(body.get_content_charset() or ""), markup=markup)
    if markup:
        html.read_into(outline, text)
    else:
        for block in with_line_feeds(text).split("\n\n"):
            outline.verbatim(block)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name, "")))[:_LONGEST_HEADER]
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        # The parser of structured headers trips over some that no mail program writes.
        return ""
