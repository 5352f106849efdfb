"""What `footnote doctor` looks at where agent mode is on: queue, log, tools, and the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from handlers.runtime import agent_files, agent_tools, wiring
from handlers.runtime.agent_mode import is_on
from handlers.runtime.agent_parts import limits, servers, tool_model, with_installed
from handlers.runtime.agents import laptop_agent_queue, opened_audit
from handlers.runtime.doctor import verdicts
from handlers.runtime.doctor.examination import Check
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning
from handlers.runtime.doctor.verdicts import QueueState
from handlers.runtime.settings import Settings, SettingsError
from handlers.tools.ports import AgentMessage, Effect, ToolContext, ToolResult
from handlers.tools.switch import Switch
from handlers.work.deliveries import DELIVERIES
from handlers.work.errors import StoreUnavailable, WorkError

AGENT, AGENT_QUEUE, AUDIT = "agent mode", "agent queue", "audit log"
AGENT_TOOLS, AGENT_MODEL = "agent tools", "agent model"

MODEL_SECONDS = 8.0
ANSWER_TOKENS = 1_000
"""For one call without arguments; a model that thinks needs most of them."""


def agent_checks(settings: Settings) -> Sequence[Check]:
    """Return what is examined; where agent mode is off, only that it is."""
    mode = Check((AGENT,), partial(mode_findings, settings))
    if not is_on(settings):
        return (mode,)
    return (
        mode,
        Check((AGENT_QUEUE,), partial(queue_findings, settings)),
        Check((AUDIT,), partial(audit_findings, settings)),
        Check((AGENT_TOOLS,), partial(tool_findings, settings)),
        Check((AGENT_MODEL,), partial(model_findings, settings)),
    )


async def mode_findings(settings: Settings) -> list[Finding]:
    """Tell whether agents act, and whether somebody has stopped them all."""
    if settings.agent != "ON":
        return [skipped(AGENT, "FOOTNOTE_AGENT is OFF.")]
    if not is_on(settings):
        todo = "Set OPENAI_MODEL to a model that calls tools, or FOOTNOTE_AGENT=OFF."
        return [failed(AGENT, "FOOTNOTE_AGENT is ON, and no model is set.", todo)]
    try:
        async with wiring.opened_store(settings) as store:
            stopped = await Switch(store).stopped()
    except StoreUnavailable as error:
        return [failed(AGENT, str(error), "Agents act only while the state store answers.")]
    if stopped:
        todo = "`footnote agents start` lets them go on."
        return [warning(AGENT, "Somebody has stopped all agents.", todo)]
    bounds = limits(settings)
    return [
        ok(
            AGENT,
            f"A run may take {bounds.turns} turns, {bounds.tokens:,} tokens, "
            f"{bounds.seconds:g} s and ${bounds.cost:g}.",
        )
    ]


async def queue_findings(settings: Settings) -> list[Finding]:
    """Count what waits for the agent."""
    if settings.agent_queue_url:
        return [await _on_sqs(settings)]
    queue = laptop_agent_queue(settings)
    try:
        counts = await queue.counts()
    except WorkError as error:
        todo = "See that FOOTNOTE_HOME can be written to and that its disk is not full."
        return [failed(AGENT_QUEUE, str(error), todo)]
    finally:
        await queue.close()
    if counts.dead:
        return [_given_up(counts.dead)]
    return [verdicts.queue_verdict(AGENT_QUEUE, QueueState(counts.waiting, counts.held))]


async def _on_sqs(settings: Settings) -> Finding:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.sqs_facts import queue_facts

    options = settings.aws_client_options()
    try:
        facts = await queue_facts(settings.agent_queue_url, options)
        if not facts.fifo or facts.receives != DELIVERIES:
            return failed(
                AGENT_QUEUE,
                f"It must be a FIFO queue that gives up after {DELIVERIES} deliveries.",
                "Deploy this version's serverless.yml.",
            )
        if settings.agent_dead_letters_url:
            dead = await queue_facts(settings.agent_dead_letters_url, options)
            if dead.waiting + dead.held:
                return _given_up(dead.waiting + dead.held)
    except CloudRefused as error:
        return failed(AGENT_QUEUE, error.found, error.todo)
    state = QueueState(facts.waiting, facts.held, facts.oldest)
    return verdicts.queue_verdict(AGENT_QUEUE, state)


def _given_up(dead: int) -> Finding:
    todo = "The log of the worker says why. When that is mended, run `footnote redrive`."
    return warning(AGENT_QUEUE, f"Steps of runs that were given up: {dead}.", todo)


async def audit_findings(settings: Settings) -> list[Finding]:
    """Read the log of the last day. Nothing is written: an entry of ours would stay."""
    now = datetime.now(UTC)
    count = 0
    try:
        async with opened_audit(settings) as log:
            async for _ in log.read(now - timedelta(days=1), now):
                count += 1
    except StoreUnavailable as error:
        todo = "See that the table is there and may be read by you, or FOOTNOTE_HOME written to."
        return [failed(AUDIT, str(error), todo)]
    return [ok(AUDIT, f"It can be read; {count:,} entries in the last 24 hours.")]


async def tool_findings(settings: Settings) -> list[Finding]:
    """See that all tools can be used, and that none of an MCP server has changed unseen."""
    problems: list[str] = []
    looks: tuple[Callable[[Settings], object], ...] = (
        agent_files.policy,
        agent_files.mcp_servers,
    )
    for look in looks:
        try:
            look(settings)
        except SettingsError as error:
            problems += error.problems
    left_out: Sequence[str] = ()
    try:
        left_out = with_installed(agent_tools.set_up(settings)).left_out
    except SettingsError as error:
        problems += error.problems
    if problems:
        return [failed(AGENT_TOOLS, " ".join(problems), "Correct what is named.")]
    warnings: list[Finding] = []
    if left_out:
        todo = "Mend or remove what is named; the agent works without it."
        warnings.append(warning(AGENT_TOOLS, " ".join(left_out), todo))
    if off := await _off(settings):
        todo = "`footnote tools` shows what they say now, `footnote tools approve NAME` allows it."
        warnings.append(warning(AGENT_TOOLS, " ".join(off), todo))
    if warnings:
        return warnings
    rules = len(agent_files.policy(settings).rules)
    unasked = f"{rules} rules of the policy" if rules else "no call"
    return [ok(AGENT_TOOLS, f"They can be used; without a human goes {unasked}.")]


async def _off(settings: Settings) -> Sequence[str]:
    """Return a sentence for each tool of an MCP server that is off, and for each silent server."""
    async with wiring.opened_store(settings) as store, servers(settings, store) as connected:
        return (await connected.listing()).sentences if connected else ()


class _Yes:
    """A tool that only says yes, to see whether the model calls one at all."""

    name = "say_yes"
    description = "Say yes. Call this when you are asked to say yes."
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    effect = Effect.READ

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Return yes."""
        return ToolResult("yes")


async def model_findings(settings: Settings) -> list[Finding]:
    """Ask the model to call a tool that does nothing."""
    from handlers.answering.errors import ModelError

    model = tool_model(settings)
    asked = [AgentMessage("user", "Say yes, with the tool that does so.")]
    deadline = asyncio.get_running_loop().time() + MODEL_SECONDS
    try:
        turn = await model.turn(asked, [_Yes()], deadline=deadline, most_tokens=ANSWER_TOKENS)
    except ModelError as error:
        todo = "Until it is mended, the agent says so in the thread, and does nothing."
        return [failed(AGENT_MODEL, str(error), todo)]
    finally:
        await model.aclose()
    if not turn.calls:
        return [
            warning(
                AGENT_MODEL,
                f"{settings.openai_model} was asked to call a tool and answered in words.",
                "Take a model that calls tools, or try FOOTNOTE_AGENT_TOOLS=SCHEMA.",
            )
        ]
    return [ok(AGENT_MODEL, f"{settings.openai_model} calls tools.")]
