"""A proposal of the agent -> the card on which people decide about it. Pure.

The card shows the arguments that will run, every character of them. A call that is not shown whole
cannot be approved on the card, only in the dialog that shows all of it (``bot.approval_views``).
A card stays within 50 blocks and about 13,200 characters, measured as JSON: more than Slack counts.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from bot import approval_messages as messages
from bot.approval_parts import (
    APPROVE,
    EDIT,
    REJECT,
    SHOW,
    UNDO,
    Block,
    argument_blocks,
    arguments_text,
    button,
    context,
    first_lines,
    marked,
    mention,
    origin_blocks,
    plain,
    row,
    title_block,
    warning_blocks,
)
from bot.approval_values import asked_value, undo_value
from bot.blocks import markdown_block
from bot.markup import cut, escape, one_line, width
from bot.proposals import Decided, Proposal, ProposedCall, Ruling
from bot.shown_json import editable
from bot.visible import made_visible

__all__ = ["card_id", "card_id_of", "card_text", "made_visible", "proposal_blocks", "undo_blocks"]

EDITABLE = 20_000
"""UTF-16 units of arguments that fit the fields of a dialog."""

_BLOCKS, _CHARACTERS = 50, 12_800
_LINES = 60
_SHARES = (3_600, 2_000, 1_200, 700, 400, 200)
_ORIGINS, _ORIGIN, _APPROVERS = 3, 300, 10


def proposal_blocks(proposal: Proposal, decided: Decided | None, now: datetime) -> list[Block]:
    """Return the card of a proposal, or of what was decided about it. ``now`` is aware."""
    if decided is not None and decided.proposal is not None:
        proposal = decided.proposal
    rulings = _rulings(proposal, decided, now)
    texts = [arguments_text(call) for call in proposal.calls]
    head = _head(proposal, rulings)
    foot = _foot(proposal) if Ruling.PENDING in rulings else []
    for share in _SHARES:
        blocks = [*head]
        whole = True
        for number, ruling in enumerate(rulings):
            by = _by(decided, number)
            shown, complete = _call(proposal, number, texts[number], ruling, by, share)
            blocks += shown
            whole = whole and (complete or ruling is not Ruling.PENDING)
        pending = [c for c, r in zip(proposal.calls, rulings, strict=True) if r is Ruling.PENDING]
        blocks += _together(pending, whole=whole)
        blocks += foot
        if _fits(blocks):
            return blocks
    return [*head, *_summary(proposal, rulings, decided), *foot]


def card_text(proposal: Proposal) -> str:
    """Return the text beside the card, which notifications show."""
    if len(proposal.calls) == 1:
        title = escape(one_line(made_visible(proposal.calls[0].title)), 150)
        return messages.ONE_NOTIFIED.format(title=title)
    return messages.MANY_NOTIFIED.format(count=len(proposal.calls))


def card_id(proposal: Proposal) -> str:
    """Return the block id by which the card of a proposal is found again."""
    return card_id_of([call.approval for call in proposal.calls])


def card_id_of(approvals: Sequence[str]) -> str:
    """Return the block id of the card that asks about these calls, in this order."""
    names = json.dumps(list(approvals))
    return "proposal-" + hashlib.sha256(names.encode("utf-8", "replace")).hexdigest()[:32]


def undo_blocks(text: str, run: str, call: str) -> list[Block]:
    """Return a message of harmless markdown with a button that takes back what ``call`` did."""
    value = undo_value(run, call)
    return [markdown_block(text), *row([button(UNDO, messages.UNDO, value)])]


def _rulings(proposal: Proposal, decided: Decided | None, now: datetime) -> list[Ruling]:
    known = list(decided.rulings) if decided is not None else []
    known += [Ruling.PENDING] * (len(proposal.calls) - len(known))
    late = now >= proposal.expires_at
    return [Ruling.EXPIRED if late and ruling is Ruling.PENDING else ruling for ruling in known]


def _by(decided: Decided | None, number: int) -> str:
    names = decided.decided_by if decided is not None else ()
    return names[number] if number < len(names) else ""


def _head(proposal: Proposal, rulings: Sequence[Ruling]) -> list[Block]:
    title = messages.NEEDED if Ruling.PENDING in rulings else messages.SETTLED
    header: Block = {"type": "header", "block_id": card_id(proposal), "text": plain(title, 150)}
    several = len(proposal.calls) > 1 and Ruling.PENDING in rulings
    return [header, context(messages.SEVERAL)] if several else [header]


def _foot(proposal: Proposal) -> list[Block]:
    names = [name for user in proposal.approvers if (name := mention(user))]
    more = len(names) - _APPROVERS
    who = ", ".join(names[:_APPROVERS]) or messages.ANYBODY
    if more > 0:
        who += " " + messages.more_approvers(more)
    asked = mention(proposal.requester)
    for_whom = f"*Asked by:* {asked} · " if asked else ""
    return [marked(f"{for_whom}*May decide:* {who} · *Until:* {_date(proposal.expires_at)}")]


def _date(moment: datetime) -> str:
    """Return Slack's token for a moment, which each reader sees in their own time zone."""
    in_words = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}}, {{time}}|{in_words}>"


def _call(
    proposal: Proposal, number: int, text: str, ruling: Ruling, by: str, share: int
) -> tuple[list[Block], bool]:
    """Return the blocks of one call, and whether all of its arguments are shown."""
    call = proposal.calls[number]
    shown = first_lines(text, share, _LINES)
    complete = shown == text
    origins = tuple(cut(origin.strip(), _ORIGIN) for origin in call.origins[:_ORIGINS])
    all_origins = origins == tuple(origin.strip() for origin in call.origins)
    blocks: list[Block] = [{"type": "divider"}] if number else []
    blocks.append(title_block(call, number + 1 if len(proposal.calls) > 1 else 0))
    blocks += argument_blocks(shown)
    if not complete:
        said = messages.shown_part(_lines(shown), _lines(text))
        open_still = ruling is Ruling.PENDING
        blocks.append(context(f"{said} {messages.APPROVE_THERE}" if open_still else said))
    if ruling is Ruling.PENDING:
        blocks += [*warning_blocks(call, text), *origin_blocks(origins)]
        if not all_origins:
            blocks.append(context(messages.MORE_ORIGINS))
        blocks += _decide(call, complete=complete, everything=complete and all_origins)
        return blocks, complete
    name = mention(by)
    stands = messages.stands(ruling)
    blocks.append(marked(f"{stands} by {name}" if name else stands))
    if not complete:
        pair = [(call.approval, call.nonce)]
        blocks += row([button(SHOW, messages.SHOW_ALL, asked_value(pair, settled=True))])
    return blocks, complete


def _decide(call: ProposedCall, *, complete: bool, everything: bool) -> list[Block]:
    value = asked_value([(call.approval, call.nonce)])
    buttons = [button(APPROVE, messages.APPROVE, value, "primary")] if complete else []
    if not everything:
        buttons.append(button(SHOW, messages.SHOW_ALL, value, "" if complete else "primary"))
    buttons.append(button(REJECT, messages.REJECT, value, "danger"))
    if len(call.arguments) <= 2 * EDITABLE and width(editable(call.arguments)) <= EDITABLE:
        buttons.append(button(EDIT, messages.EDIT, value))
    return row(buttons)


def _together(pending: Sequence[ProposedCall], *, whole: bool) -> list[Block]:
    """Return the buttons that decide about several calls at once."""
    if len(pending) < 2:
        return []
    value = asked_value([(call.approval, call.nonce) for call in pending])
    approve = button(APPROVE, messages.APPROVE_ALL, value, "primary")
    show = button(SHOW, messages.SHOW_ALL, value)
    reject = button(REJECT, messages.REJECT_ALL, value, "danger")
    return [{"type": "divider"}, *row([approve if whole else show, reject])] if value else []


def _summary(proposal: Proposal, rulings: Sequence[Ruling], decided: Decided | None) -> list[Block]:
    """Return a list of calls that are too many to be shown."""
    pending = [c for c, r in zip(proposal.calls, rulings, strict=True) if r is Ruling.PENDING]
    names = []
    for number, (call, ruling) in enumerate(zip(proposal.calls, rulings, strict=True), start=1):
        stands = f" · {messages.stands(ruling)}" if ruling is not Ruling.PENDING else ""
        names.append(f"{number}. {cut(one_line(made_visible(call.title)), 60)}{stands}")
    blocks: list[Block] = [{"type": "section", "text": plain("\n".join(names), 2_900)}]
    deciders = dict.fromkeys(filter(None, map(mention, decided.decided_by if decided else ())))
    if deciders:
        blocks.append(marked(messages.by_whom(", ".join([*deciders][:_APPROVERS]))))
    settled = not pending
    asked = [(call.approval, call.nonce) for call in pending or proposal.calls]
    value = asked_value(asked, settled=settled)
    if not value:
        return [*blocks, context(messages.TOO_MANY_TO_DECIDE)]
    show = button(SHOW, messages.SHOW_ALL, value, "" if settled else "primary")
    reject = button(REJECT, messages.REJECT_ALL, value, "danger")
    said = [] if settled else [context(messages.TOO_MANY)]
    return [*blocks, *said, *row([show] if settled else [show, reject])]


def _fits(blocks: Sequence[Block]) -> bool:
    whole = json.dumps(blocks, ensure_ascii=False)
    return len(blocks) <= _BLOCKS and width(whole) <= _CHARACTERS


def _lines(text: str) -> int:
    return text.count("\n") + 1
