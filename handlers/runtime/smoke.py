"""The smoke test of a deployed stage: its door, its workers, and what was given up.

Slack's first requests are answered, nobody else is let in, and each worker starts. Nothing is said
in Slack, and nothing of what is sent is stored: the event ends as silence, the workers get none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from handlers.runtime.dead_letters import given_up, listed
from handlers.runtime.doctor.findings import Finding, Verdict, failed, ok, skipped
from handlers.runtime.doctor.signed_requests import EndpointUnreachable, EventsEndpoint
from handlers.runtime.doctor.slack_checks import challenge_finding
from handlers.runtime.settings import SecretStr, Settings

CHALLENGE, EVENT, FORGED = "challenge", "silent event", "forged event"
WORKERS, DEAD_LETTERS = "workers", "dead letters"

PATIENCE_SECONDS = 30.0
"""How long a stage that was just deployed may take until its address answers."""

_PAUSE_SECONDS = 2.0
_WORKERS = ("AnswerFunctionName", "PrepareFunctionName", "AgentFunctionName")
"""Those that serve a queue, as the outputs name them: for no message they open what they need.

A run of ingest, maintain or reconcile would do its work; the schedule begins one soon anyway.
"""


async def smoke(
    settings: Settings, outputs: Mapping[str, str], *, events_url: str, patience: float = 0.0
) -> list[Finding]:
    """Return the findings for a stage with these settings and these outputs of its stack.

    ``patience`` is for how many seconds a first failure is tried again.
    """
    secret = settings.slack_signing_secret
    if secret is None:
        todo = "Write it to the parameters of the stage: --put-parameters."
        found = [failed(CHALLENGE, "The stage has no SLACK_SIGNING_SECRET.", todo)]
    elif not events_url:
        todo = "Deploy this version, or give --events-url."
        found = [failed(CHALLENGE, "The stack does not tell its address for Slack.", todo)]
    else:
        found = await _at_the_door(events_url, secret, patience)
    options = settings.aws_client_options()
    return [*found, await _workers(outputs, options), await _dead_letters(outputs, options)]


async def _at_the_door(events_url: str, secret: SecretStr, patience: float) -> list[Finding]:
    until = time.monotonic() + patience
    while True:
        first = await challenge_finding(CHALLENGE, events_url, secret)
        if first.verdict is not Verdict.FAILED or time.monotonic() >= until:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    if first.verdict is Verdict.FAILED:
        why = "The challenge was not answered."
        return [first, skipped(EVENT, why), skipped(FORGED, why)]
    endpoint = EventsEndpoint(events_url, secret.get_secret_value())
    try:
        silent, forged = await asyncio.gather(endpoint.silent_event(), endpoint.forged_event())
    except EndpointUnreachable as error:
        todo = "Run the smoke test again; if it stays so, see the log of the function slack."
        return [first, failed(EVENT, str(error), todo), failed(FORGED, str(error), todo)]
    return [first, _event_finding(silent.status), _forged_finding(forged.status)]


def _event_finding(status: int) -> Finding:
    if status == 200:
        return ok(EVENT, "It was acknowledged.")
    return failed(
        EVENT,
        f"It was answered with status {status}; Slack would deliver it again and again.",
        "See the log of the function slack.",
    )


def _forged_finding(status: int) -> Finding:
    if status == 401:
        return ok(FORGED, "It was refused.")
    return failed(
        FORGED,
        f"A request that Slack did not sign was answered with status {status}, not with 401.",
        "Take the address away from Slack and from the internet until this is understood.",
    )


async def _workers(outputs: Mapping[str, str], options: Mapping[str, str]) -> Finding:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.aws_stack import AwsStack

    stack = AwsStack(options)
    functions = [outputs[name] for name in _WORKERS if name in outputs]
    if not functions:
        return skipped(WORKERS, "The stack names none.")
    try:
        whys = await asyncio.gather(*(stack.wake(function) for function in functions))
    except CloudRefused as error:
        return failed(WORKERS, error.found, error.todo)
    broken = [f"{name} ({why})" for name, why in zip(functions, whys, strict=True) if why]
    if not broken:
        return ok(WORKERS, f"{', '.join(functions)}: started.")
    return failed(
        WORKERS,
        f"Could not start: {', '.join(broken)}.",
        "The log of the function says why. `footnote doctor --stage NAME` looks at what it needs.",
    )


async def _dead_letters(outputs: Mapping[str, str], options: Mapping[str, str]) -> Finding:
    from handlers.adapters.aws_operator import CloudRefused

    try:
        counts = await given_up(outputs, options)
    except CloudRefused as error:
        return failed(DEAD_LETTERS, error.found, error.todo)
    if not counts:
        return skipped(DEAD_LETTERS, "The stack names no queue for them.")
    if not any(counts.values()):
        return ok(DEAD_LETTERS, "There are none.")
    return failed(
        DEAD_LETTERS,
        f"There are some: {listed(counts)}.",
        "infra/RUNBOOK.md has an entry for each queue; `footnote redrive --stage NAME` puts "
        "questions and steps of agents back.",
    )
