"""`footnote doctor`: everything that Footnote rests on, looked at from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from handlers.runtime import terminal, wiring
from handlers.runtime.doctor import verdicts
from handlers.runtime.doctor.agent_checks import agent_checks
from handlers.runtime.doctor.examination import Check, examine
from handlers.runtime.doctor.findings import Finding, failed, ok
from handlers.runtime.doctor.index_checks import INDEX, PLACE, index_findings, place_findings
from handlers.runtime.doctor.model_checks import MODEL, model_findings
from handlers.runtime.doctor.report import exit_code, show
from handlers.runtime.doctor.slack_checks import (
    CHANNELS,
    CLOCK,
    EVENTS,
    SCOPES,
    SOCKET,
    TOKEN,
    channel_findings,
    clock_findings,
    event_findings,
    socket_findings,
    token_findings,
)
from handlers.runtime.doctor.source_checks import SOURCES, source_findings
from handlers.runtime.doctor.sync_checks import OTHER_DEAD_LETTERS, SYNC_QUEUE, sync_findings
from handlers.runtime.doctor.work_checks import (
    DEAD_LETTERS,
    QUEUE,
    STORE,
    queue_findings,
    store_findings,
)
from handlers.runtime.settings import Settings, SettingsError
from handlers.work.errors import WorkError

if TYPE_CHECKING:
    from handlers.runtime.stage import Stage

SETTINGS, STACK, BUDGET, PRICE = "settings", "stack", "time for an answer", "model price"
_EMPTY: Mapping[str, str] = {}


async def run_doctor(
    settings: Settings | SettingsError,
    *,
    stage: str,
    region: str,
    events_url: str,
    as_json: bool,
) -> int:
    """Examine a laptop's installation, or with ``stage`` a deployed one; return the exit code."""
    findings, examined, deployed = await _where(settings, stage, region)
    if examined is not None:
        outputs = deployed.outputs if deployed else _EMPTY
        address = events_url or outputs.get("SlackEventsUrl", "")
        with terminal.bar("examining") as progress:
            findings += await examine(checks(examined, deployed, address), progress=progress)
    show(findings, as_json=as_json, more={})
    return exit_code(findings)


async def _where(
    settings: Settings | SettingsError, stage: str, region: str
) -> tuple[list[Finding], Settings | None, Stage | None]:
    """Return what is known before anything is examined, and what there is to examine."""
    if isinstance(settings, SettingsError):
        todo = "Correct it in the environment or in .env; README.md lists all settings."
        return [failed(SETTINGS, " ".join(settings.problems), todo)], None, None
    good = ok(SETTINGS, "All settings can be read.")
    if not stage:
        return [good], settings, None
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.runtime.stage import open_stage, stack_name

    try:
        deployed = await open_stage(settings, stage, region=region)
    except CloudRefused as error:
        return [good, failed(STACK, error.found, error.todo)], None, None
    except SettingsError as error:
        todo = f"Correct the parameters below /footnote/{stage}/, or the access to them."
        return [good, failed(STACK, " ".join(error.problems), todo)], None, None
    told = ok(STACK, f"{stack_name(stage)} is deployed in {deployed.region}.")
    return [good, told], deployed.settings, deployed


def checks(settings: Settings, deployed: Stage | None, events_url: str) -> Sequence[Check]:
    """Return all that is examined, in the order of the report."""
    aws = bool(settings.queue_url or settings.index.startswith("s3://"))
    cloud = partial(import_module, f"handlers.adapters.{'aws_operator' if aws else 'sqlite_queue'}")
    return (
        Check((TOKEN, SCOPES), partial(token_findings, settings)),
        Check((CHANNELS,), partial(channel_findings, settings)),
        Check((SOCKET,), partial(socket_findings, settings)),
        Check((EVENTS,), partial(event_findings, settings, events_url)),
        Check((CLOCK,), partial(clock_findings, settings)),
        Check(
            (INDEX,), partial(index_findings, settings), load=partial(wiring.index_engine, settings)
        ),
        _sync_check(settings, deployed, cloud),
        Check((PLACE,), partial(place_findings, settings), load=cloud),
        Check((QUEUE, DEAD_LETTERS), partial(queue_findings, settings), load=cloud),
        Check((STORE,), partial(store_findings, settings), load=cloud),
        Check((MODEL,), partial(model_findings, settings)),
        Check((BUDGET, PRICE), partial(_budget_findings, settings, deployed), load=cloud),
        *agent_checks(settings),
    )


def _sync_check(settings: Settings, deployed: Stage | None, cloud: Callable[[], object]) -> Check:
    """Return what is looked at of the syncs: their record here, their queues in a stage."""
    if deployed is None:
        return Check((SOURCES,), partial(source_findings, settings))
    names = (SYNC_QUEUE, OTHER_DEAD_LETTERS)
    return Check(names, partial(sync_findings, settings, deployed.outputs), load=cloud)


async def _budget_findings(settings: Settings, deployed: Stage | None) -> list[Finding]:
    seconds = verdicts.FUNCTION_SECONDS if settings.queue_url else None
    if deployed is not None and "AnswerFunctionName" in deployed.outputs:
        from handlers.adapters.aws_stack import AwsStack

        stack = AwsStack(settings.aws_client_options())
        try:
            seconds = await stack.function_seconds(deployed.outputs["AnswerFunctionName"])
        except WorkError:
            seconds = verdicts.FUNCTION_SECONDS
    prices = settings.model_price_in, settings.model_price_out
    return [
        verdicts.budget_verdict(BUDGET, settings.answer_seconds, seconds),
        verdicts.price_verdict(PRICE, settings.openai_model, *prices),
    ]
