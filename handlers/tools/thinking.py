"""One turn of the model: what has been said so far in, calls or the last words out."""

import asyncio
import re
from dataclasses import replace
from typing import Final

from handlers.answering.errors import ModelUnavailable
from handlers.answering.ports import Usage
from handlers.answering.window import tokens_in
from handlers.tools.limits import Bound
from handlers.tools.parts import Parts
from handlers.tools.ports import AgentMessage, ModelTurn, ToolCall
from handlers.tools.prompting import CONCLUDE, fitted, tokens_of
from handlers.tools.runs import Phase, Run, RunCall, call_id
from handlers.tools.watching import Watch

LEAST_TURN_TOKENS: Final = 1500
"""Kept free in the window for what the model writes in one turn, whatever it has read."""

LONGEST_TEXT: Final = 8000
LONGEST_ARGUMENTS: Final = 40_000
"""Characters; longer ones fit no tool, and are refused by their size."""

_NAME = re.compile(r"[^A-Za-z0-9_-]")


async def think(parts: Parts, run: Run, watch: Watch) -> Run:
    """Return the run after one more turn. Raises ModelError, and like ``Watch.during``.

    At a limit the model is told to conclude, and what it calls then is not heard.
    """
    limit = run.limit or parts.limits.reached(run.spent)
    messages = list(run.messages)
    if limit:
        messages.append(AgentMessage("user", CONCLUDE))
    messages = fitted(messages, parts.window_tokens, LEAST_TURN_TOKENS + parts.tool_tokens)
    room = parts.window_tokens - parts.tool_tokens - sum(map(tokens_of, messages))
    limits = parts.limits
    seconds = limits.conclude_seconds if limit else limits.left(run.spent, limits.turn_seconds)
    now = asyncio.get_running_loop().time
    began = now()
    asked = parts.model.turn(
        messages,
        parts.tools,
        deadline=began + seconds,
        most_tokens=min(limits.turn_tokens, max(room, LEAST_TURN_TOKENS)),
        conclude=limit is not None,
    )
    try:
        turn = await watch.during(asked)
    except ModelUnavailable:
        spent = run.spent.and_seconds(now() - began)
        if limit or spent.seconds < limits.seconds:
            raise
        # The time of the run is over, not the patience with the model: there is a last turn.
        return replace(run, spent=spent)
    usage = turn.usage if turn.usage != Usage() else _guessed(messages, turn)
    cost = parts.cost_of(usage) if parts.cost_of else 0.0
    spent = run.spent.and_turn(usage, cost).and_seconds(now() - began)
    if turn.truncated and not (limit or turn.calls or turn.text.strip()):
        # It thought until it had to stop: there is a last turn.
        return replace(run, spent=spent, limit=Bound.TOKENS)
    run = replace(run, spent=spent, limit=limit)
    if limit or not turn.calls:
        text = turn.text.strip()[:LONGEST_TEXT]
        return replace(run, phase=Phase.CONCLUDING, text=text, truncated=turn.truncated)
    return _calling(run, turn, limits.calls)


def _calling(run: Run, turn: ModelTurn, most: int) -> Run:
    """Return the run with the calls of a turn, under ids of ours: a model's may repeat."""
    asked = [
        ToolCall(
            call_id(run.spent.turns, number),
            _NAME.sub("_", call.name)[:64],
            call.arguments[:LONGEST_ARGUMENTS],
        )
        for number, call in enumerate(turn.calls[:most])
    ]
    said = AgentMessage("assistant", turn.text.strip()[:LONGEST_TEXT], tuple(asked))
    calls = tuple(RunCall(call.id, call.name, call.arguments) for call in asked)
    return replace(
        run, phase=Phase.CALLING, messages=(*run.messages, said), calls=run.calls + calls
    )


def _guessed(messages: list[AgentMessage], turn: ModelTurn) -> Usage:
    """Return about what a turn took, for endpoints that do not report it: limits must hold."""
    said = tokens_in(turn.text) + sum(tokens_in(call.arguments) + 8 for call in turn.calls)
    return Usage(sum(map(tokens_of, messages)), said)
