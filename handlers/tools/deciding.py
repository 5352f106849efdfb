"""What a decision makes of one approval that was read. Pure but for the nonce of an edit."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.proposals import Decision, Ruling, Verb
from handlers.tools.approval_records import Record, State
from handlers.tools.arguments import canonical, checked
from handlers.tools.errors import BadArguments
from handlers.tools.provenance import still_true

_DONE = frozenset({Ruling.APPROVED, Ruling.REJECTED, Ruling.DECIDED_BEFORE})


def at_home(records: Sequence[Record], decision: Decision) -> bool:
    """Tell whether all these calls were proposed in the team and channel of the click."""
    home = (decision.team, decision.channel)
    return all(home) and all((one.at.team, one.at.channel) == home for one in records)


def is_named(records: Sequence[Record], user: str) -> bool:
    """Tell whether no list of approvers leaves the user out."""
    return all(not one.approvers or user in one.approvers for one in records)


def decided(record: Record, decision: Decision, now: float) -> tuple[Ruling, Record | None]:
    """Return the ruling on a decision about one call, and the record to write, if any.

    Raises BadArguments for an edit that the tool's schema does not allow.
    """
    if record.state is not State.PENDING:
        return Ruling.DECIDED_BEFORE, None
    if record.ruling(now) is not Ruling.PENDING:
        return Ruling.EXPIRED, None
    if dict(decision.calls).get(record.id) != record.nonce:
        return Ruling.SHOWN_OTHERWISE, None
    if decision.verb is not Verb.APPROVE:
        state, ruling = State.REJECTED, Ruling.REJECTED
    else:
        state, ruling = State.APPROVED, Ruling.APPROVED
        if decision.arguments is not None:
            record = edited(record, decision.arguments)
    return ruling, replace(record, state=state, decided_by=decision.user, decided_at=now)


def edited(record: Record, text: str) -> Record:
    """Return the record with the arguments that somebody typed, checked against the tool's schema.

    A new nonce makes every card that shows the old ones worthless. Marks go with the values that
    they are about; what was typed comes from the person who typed it. Raises BadArguments.
    """
    if not record.schema:
        raise BadArguments("The schema of this tool is too large to edit a call here.")
    value = checked(json.loads(record.schema), text)
    arguments = canonical(value)
    if arguments == record.arguments:
        return record
    return replace(
        record,
        arguments=arguments,
        nonce=secrets.token_hex(16),
        marks=still_true(record.marks, value),
        edited=True,
    )


def obstacle(rulings: Sequence[Ruling]) -> Ruling | None:
    """Return the first ruling that keeps a decision from being carried out, or None."""
    return next((ruling for ruling in rulings if ruling not in _DONE), None)


def summed(rulings: Sequence[Ruling]) -> Ruling:
    """Return one word for what was done to several calls."""
    return next((one for one in rulings if one is not Ruling.DECIDED_BEFORE), Ruling.DECIDED_BEFORE)
