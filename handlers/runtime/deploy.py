"""`footnote deploy`: look, deploy, and try out what was deployed.

checks ── one failed ─▶ told what to do, nothing was changed
  │ └──── --check ────▶ the end
  ▼
parameters that are missing there and set here, with --put-parameters
  ▼
zips ─▶ osls deploy ─▶ smoke test
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.runtime import terminal
from handlers.runtime.checkout import checkout, make_zips, osls_line, run_module
from handlers.runtime.deploy_checks import (
    CREDENTIALS,
    PARAMETERS,
    aws_findings,
    before_deploying,
    values_here,
)
from handlers.runtime.doctor.findings import Finding, Verdict, failed, ok, worst
from handlers.runtime.doctor.report import exit_code, show
from handlers.runtime.logs import redacted
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.smoke import PATIENCE_SECONDS, smoke
from handlers.runtime.stage import in_region, open_stage, parameter_path, stack_name

DEPLOYMENT, STACK = "deployment", "stack"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was asked for on the command line. ``params`` are further parameters for osls."""

    stage: str
    region: str = ""
    image: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    events_url: str = ""
    put_parameters: bool = False


async def run_check(settings: Settings, asked: Deployment, *, as_json: bool) -> int:
    """`footnote deploy --check`: look at everything, change nothing; return the exit code."""
    settings = _prepared(settings, asked)
    return _told(settings, asked, await _looked(settings, asked), as_json=as_json)


async def run_smoke(settings: Settings, asked: Deployment, *, as_json: bool) -> int:
    """`footnote deploy --smoke`: try out what is deployed; return the exit code."""
    settings = in_region(settings, asked.region)
    return _told(settings, asked, await _smoked(settings, asked, patience=0.0), as_json=as_json)


async def run_deploy(settings: Settings, asked: Deployment, *, as_json: bool) -> int:
    """`footnote deploy`: check, deploy, try out; return the exit code. May be run again."""
    settings = _prepared(settings, asked)
    findings = await _looked(settings, asked)
    rest = [finding for finding in findings if finding.check not in (CREDENTIALS, PARAMETERS)]
    if asked.put_parameters and worst(rest) is not Verdict.FAILED:
        await put_parameters(settings, asked.stage)
        findings = [*rest, *await aws_findings(settings, asked.stage)]
    if worst(findings) is Verdict.FAILED:
        return _told(settings, asked, findings, as_json=as_json, deployed=False)
    if not as_json:
        show(findings, as_json=False, more={})
        findings = []
    deployed = await _deployed(settings, asked)
    findings = [*findings, deployed]
    if deployed.verdict is Verdict.OK:
        findings += await _smoked(settings, asked, patience=PATIENCE_SECONDS)
    done = deployed.verdict is Verdict.OK
    return _told(settings, asked, findings, as_json=as_json, deployed=done)


def _prepared(settings: Settings, asked: Deployment) -> Settings:
    settings = in_region(settings, asked.region)
    # osls and what it starts look for credentials in the environment, and not in our .env.
    settings.lend_aws()
    return settings


async def _looked(settings: Settings, asked: Deployment) -> list[Finding]:
    terminal.tell(f"Checking stage {asked.stage} in {settings.aws_region} …")
    return await before_deploying(
        settings, stage=asked.stage, image=asked.image, params=asked.params
    )


async def put_parameters(settings: Settings, stage: str) -> None:
    """Write what is missing there and set here. Raises CloudRefused."""
    from handlers.adapters.aws_stack import AwsStack

    stack, path = AwsStack(settings.aws_client_options()), parameter_path(stage)
    there = await stack.parameter_names(path)
    for name, value in values_here(settings).items():
        if name not in there:
            await stack.put_secret(f"{path}{name}", value)
            terminal.tell(f"{PARAMETERS}: wrote {path}{name}, encrypted.")


async def _deployed(settings: Settings, asked: Deployment) -> Finding:
    folder = checkout()
    assert folder is not None
    terminal.tell("Deploying; a first time takes some minutes …")
    line = osls_line("deploy", asked.stage, settings.aws_region, asked.image, asked.params)
    ended = await make_zips(folder, asked.stage, asked.params, hear=_hear)
    if not ended.status:
        ended = await run_module(folder, *line, hear=_hear)
    if ended.status:
        return failed(
            DEPLOYMENT,
            f"osls could not deploy {stack_name(asked.stage)}: {ended.why}",
            "CloudFormation has put back what it had begun. Mend the cause and deploy again.",
        )
    return ok(DEPLOYMENT, f"{stack_name(asked.stage)} is deployed.")


def _hear(line: str) -> None:
    terminal.tell(redacted(line))


async def _smoked(settings: Settings, asked: Deployment, *, patience: float) -> list[Finding]:
    from handlers.adapters.aws_operator import CloudRefused

    try:
        stage = await open_stage(settings, asked.stage, region=settings.aws_region)
    except CloudRefused as error:
        return [failed(STACK, error.found, error.todo)]
    except SettingsError as error:
        todo = f"Correct the parameters below {parameter_path(asked.stage)}."
        return [failed(STACK, " ".join(error.problems), todo)]
    address = asked.events_url or stage.outputs.get("SlackEventsUrl", "")
    return await smoke(stage.settings, stage.outputs, events_url=address, patience=patience)


def _told(
    settings: Settings,
    asked: Deployment,
    findings: list[Finding],
    *,
    as_json: bool,
    deployed: bool | None = None,
) -> int:
    more: dict[str, object] = {"stage": asked.stage, "region": settings.aws_region}
    if deployed is not None:
        more["deployed"] = deployed
    show(findings, as_json=as_json, more=more)
    return exit_code(findings)
