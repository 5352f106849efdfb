"""Answers and footnotes -> Block Kit, within Slack's limits by construction. Pure.

Limits (https://docs.slack.dev/reference/block-kit): 50 blocks a message, section text 3,000, button
text 75 and value 2,000, header 150, modal title 24, markdown 12,000 a message; measured: about
13,200 characters of blocks in all. A message here is a part of at most ``parts.PART_BYTES`` of
markdown, and at most ``_ROWS`` characters of rows and buttons, measured as JSON: more than Slack
counts.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot import messages
from bot.conversation import Answer, Citation, Nearby, Sentence, Verdict
from bot.feedback import feedback_blocks
from bot.markup import cut, escape, inert_markdown, one_line, web_url, width
from bot.notes import instead, notes
from bot.parts import split
from bot.wording import ENGLISH, Wording, wording

OPEN_FOOTNOTE = "footnote.open"
OPEN_DOCUMENT = "footnote.document"

Block = dict[str, Any]

_ROWS = 5_600
_MOST_FOOTNOTES = 10
_MOST_NEARBY = 5
_TITLE, _DETAIL, _ROW_URL = 120, 120, 180
_TEXT = 3_900  # chat.update refuses a text above 4,000
_QUOTE, _CONTEXT = 12_000, 600
_VALUE, _HEADER, _MODAL_TITLE, _RICH_TEXT = 2_000, 150, 24, 3_000
_LEAD_CHARACTERS = frozenset(" \t\n-*+.)0123456789")


def sentence_markdown(sentence: Sentence) -> str:
    """Return one sentence with its marks, as markdown that cannot link, mention or show images."""
    text = inert_markdown(sentence.text.strip())
    if not text:
        return ""
    lead = sentence.lead
    if not lead or len(lead) > 12 or not set(lead) <= _LEAD_CHARACTERS or not lead[-1].isspace():
        lead = " "
    if text.startswith("```") and not lead.endswith("\n"):
        lead = "\n"
    gap = "\n" if text.endswith("```") else " "
    marks = " ".join(f"[{number}]" for number in sentence.citations)
    return f"{lead}{text}{gap}{marks}" if marks else lead + text


def answer_markdown(answer: Answer) -> str:
    """Return the whole answer as markdown; what is said instead if it has no sentences."""
    text = "".join(sentence_markdown(sentence) for sentence in answer.sentences).lstrip()
    return text or inert_markdown(instead(answer))


def notification(markdown: str) -> str:
    """Return the text that goes beside blocks that show ``markdown``."""
    return cut(markdown, _TEXT)


def markdown_block(text: str) -> Block:
    """Return a block of markdown; ``text`` is at most one part long."""
    return {"type": "markdown", "text": text}


def answer_blocks(answer: Answer, key: str, now: datetime, *, asks: bool = True) -> list[Block]:
    """Return what stands below the sentences: footnotes, notes, the nearest pages.

    ``key`` names the mention, so that a click finds the citation again. ``now`` is aware. An answer
    that ``asks`` whether it helped ends with Slack's buttons for that.
    """
    words = wording(answer.language)
    citations = answer.citations if answer.sentences else ()
    tail: list[Block] = []
    if answer.verdict is not Verdict.ANSWERED or not answer.sentences:
        tail = _nearby(answer.nearby, words)
    if asks:
        tail += feedback_blocks(key)
    for count in range(min(len(citations), _MOST_FOOTNOTES), -1, -1):
        rows = [_row(citation, key, now, words) for citation in citations[:count]]
        said = notes(answer)
        if count < len(citations):
            said.append(words.more_footnotes)
        below = [_context(" ".join(said)), *tail] if said else tail
        if len(json.dumps([*rows, *below], ensure_ascii=False)) <= _ROWS:
            break
    return [*rows, *below]


def answer_messages(answer: Answer, key: str, now: datetime) -> list[tuple[str, list[Block]]]:
    """Return a private answer as whole messages, (text, blocks) each; the last bears the rows.

    It does not ask whether it helped: Slack documents those buttons for messages, not for ephemeral
    ones, and a block that Slack refuses would cost the whole answer.
    """
    found = [(cut(part, _TEXT), [markdown_block(part)]) for part in split(answer_markdown(answer))]
    found[-1][1].extend(answer_blocks(answer, key, now, asks=False))
    return found


def footnote_view(citation: Citation, now: datetime) -> Block:
    """Return the modal that shows one quote, word for word, between the words around it."""
    title = one_line(citation.title) or messages.UNTITLED
    details = [
        one_line(citation.heading),
        messages.page(citation.page) if citation.page is not None else "",
        _age(citation.updated_at, now, ENGLISH),
    ]
    blocks: list[Block] = [
        {"type": "header", "text": _plain(title, _HEADER)},
    ]
    shown = " · ".join(detail for detail in details if detail)
    if shown:
        blocks.append(_context(shown))
    blocks.append({"type": "rich_text", "elements": _quotation(citation)})
    url = web_url(citation.url)
    if url:
        button = {
            "type": "button",
            "action_id": OPEN_DOCUMENT,
            "text": _plain(messages.OPEN_DOCUMENT, 75),
            "url": url,
        }
        blocks.append({"type": "actions", "elements": [button]})
    return _modal(messages.footnote_title(citation.number), blocks)


def notice_view(sentence: str) -> Block:
    """Return a modal with one sentence of ours, for a footnote that cannot be shown."""
    text = {"type": "plain_text", "text": cut(sentence, 3_000), "emoji": False}
    return _modal(messages.NAME, [{"type": "section", "text": text}])


def button_value(key: str, number: int) -> str:
    """Return what a footnote's button carries, or "" when Slack would not take it."""
    value = json.dumps({"key": key, "number": number}, separators=(",", ":"))
    return value if len(value) <= _VALUE else ""


def read_button_value(value: object) -> tuple[str, int] | None:
    """Return (key, number) of a button's value, or None for anything that we did not write."""
    try:
        data = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    key, number = data.get("key"), data.get("number")
    if not isinstance(key, str) or type(number) is not int:
        return None
    return key, number


def _row(citation: Citation, key: str, now: datetime, words: Wording) -> Block:
    """Return the row of one footnote: number, title, where, how old; a button opens the quote."""
    title = escape(one_line(citation.title) or words.untitled, _TITLE)
    url = web_url(citation.url)
    if url and width(url) <= _ROW_URL:
        title = f"<{escape(url)}|{title}>"
    details = [
        escape(one_line(citation.heading), _DETAIL) if citation.heading else "",
        words.page(citation.page) if citation.page is not None else "",
        _age(citation.updated_at, now, words),
    ]
    shown = " · ".join(detail for detail in details if detail)
    text = f"*[{citation.number}]* {title}" + (f"\n{shown}" if shown else "")
    row: Block = {"type": "section", "text": _mrkdwn(text)}
    value = button_value(key, citation.number)
    if value:
        row["accessory"] = {
            "type": "button",
            "action_id": OPEN_FOOTNOTE,
            "text": _plain(words.open_quote, 75),
            "value": value,
        }
    return row


def _nearby(pages: Sequence[Nearby], words: Wording) -> list[Block]:
    lines = []
    for page in pages[:_MOST_NEARBY]:
        title = escape(one_line(page.title) or words.untitled, _TITLE)
        url = web_url(page.url)
        if url and width(url) <= _ROW_URL:
            title = f"<{escape(url)}|{title}>"
        heading = escape(one_line(page.heading), _DETAIL) if page.heading else ""
        lines.append(f"• {title}" + (f" · {heading}" if heading else ""))
    if not lines:
        return []
    text = f"*{words.nearest}*\n" + "\n".join(lines)
    return [{"type": "section", "text": _mrkdwn(text)}]


def _quotation(citation: Citation) -> list[Block]:
    """Return the quote as a block quote between its surroundings; rich text shows it literally."""
    before = citation.before.strip()
    if width(before) > _CONTEXT:
        before = cut(before[::-1], _CONTEXT)[::-1]
    after = cut(citation.after.strip(), _CONTEXT)
    quote = cut(citation.quote.strip(), _QUOTE) or "…"
    elements: list[Block] = []
    if before:
        elements.append({"type": "rich_text_section", "elements": _literal(before)})
    elements.append({"type": "rich_text_quote", "elements": _literal(quote, bold=True)})
    if after:
        elements.append({"type": "rich_text_section", "elements": _literal(after)})
    return elements


def _literal(text: str, *, bold: bool = False) -> list[Block]:
    pieces = [text[i : i + _RICH_TEXT // 2] for i in range(0, len(text), _RICH_TEXT // 2)]
    style = {"style": {"bold": True}} if bold else {}
    return [{"type": "text", "text": piece, **style} for piece in pieces]


def _modal(title: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "title": _plain(title, _MODAL_TITLE),
        "close": _plain(messages.CLOSE, _MODAL_TITLE),
        "blocks": blocks,
    }


def _context(text: str) -> Block:
    """Return a small line of plain text, which Slack does not read as markup."""
    return {"type": "context", "elements": [_plain(text, 1_000)]}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def _mrkdwn(text: str) -> Block:
    """Return mrkdwn where only our own angle brackets link: ``verbatim`` forbids auto-links."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _age(updated_at: datetime | None, now: datetime, words: Wording) -> str:
    if updated_at is None:
        return ""
    if updated_at.tzinfo is None:
        updated_at = updated_at.replace(tzinfo=UTC)
    return words.updated((now - updated_at).total_seconds() / 86_400)
