"""What has to be in place before a stage is deployed; looking at it changes nothing."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from handlers.runtime.checkout import checkout, make_zips, osls_line, run_module
from handlers.runtime.doctor.examination import Check, examine
from handlers.runtime.doctor.findings import Finding, Verdict, failed, ok, skipped, warning
from handlers.runtime.settings import SecretStr, Settings
from handlers.runtime.stage import WITHOUT_IMAGE, parameter_path

CHECKOUT, TOOLS, IMAGE, TEMPLATE, ZIP = "checkout", "osls", "image", "template", "zip"
CREDENTIALS, PARAMETERS = "credentials", "parameters"

REQUIRED: Final = {
    "SLACK_BOT_TOKEN": "slack_bot_token",
    "SLACK_SIGNING_SECRET": "slack_signing_secret",
}
"""Parameters that every stage needs, and the settings that hold them here."""

OFFERED: Final = {
    **REQUIRED,
    "OPENAI_API_KEY": "openai_api_key",
    "OPENAI_BASE_URL": "openai_base_url",
    "OPENAI_MODEL": "openai_model",
    "FOOTNOTE_MODEL_PRICE_IN": "model_price_in",
    "FOOTNOTE_MODEL_PRICE_OUT": "model_price_out",
    "FOOTNOTE_AGENT_APPROVERS": "agent_approvers",
    "FOOTNOTE_TOOL_SECRETS": "tool_secrets",
    "FOOTNOTE_CARDS": "cards",
    "FOOTNOTE_GITHUB_REPOSITORIES": "github_repositories",
    "FOOTNOTE_GITHUB_TOKEN": "github_token",
    "FOOTNOTE_GITLAB_PROJECTS": "gitlab_projects",
    "FOOTNOTE_GITLAB_TOKEN": "gitlab_token",
    "FOOTNOTE_JIRA_URL": "jira_url",
    "FOOTNOTE_JIRA_PROJECTS": "jira_projects",
    "FOOTNOTE_JIRA_EMAIL": "jira_email",
    "FOOTNOTE_JIRA_TOKEN": "jira_token",
}
"""Parameters that are written for the operator when they are missing there and set here."""

_IMAGE = re.compile(
    r"[0-9]{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
    r"/[a-z0-9][a-z0-9._/-]*@sha256:(?P<digest>[0-9a-f]{64})"
)
_LIBRARY = re.compile(r"\.cpython-(\d)(\d+)-[^/]*\.so$")
_BUILD = "Build and push it as README.md says, and give what is printed with --image."
_TOOL_SECONDS = 300.0


def values_here(settings: Settings) -> dict[str, str]:
    """Return the parameters that are set here, by name: the environment's and those of .env."""
    found: dict[str, str] = {}
    for name, field in OFFERED.items():
        value = getattr(settings, field)
        text = value.get_secret_value() if isinstance(value, SecretStr) else f"{value or ''}"
        if text:
            found[name] = text
    return found


def image_finding(image: str, *, stage: str, region: str) -> Finding:
    """Judge the address of the container image. Pure."""
    if stage == WITHOUT_IMAGE:
        return skipped(IMAGE, "The functions of stage local are zips.")
    if not image:
        return failed(IMAGE, "No container image is given.", _BUILD)
    found = _IMAGE.fullmatch(image)
    if found is None:
        form = "ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:DIGEST"
        return failed(IMAGE, f"The image is not of the form {form}.", _BUILD)
    if not found["digest"].strip("0"):
        return failed(IMAGE, "The image is the one of the example, which does not exist.", _BUILD)
    if found["region"] != region:
        return failed(
            IMAGE,
            f"The image lies in {found['region']}, and Lambda takes none from outside {region}.",
            "Push it to a repository of that region, or deploy with --region.",
        )
    return ok(IMAGE, f"The digest begins with {found['digest'][:12]}.")


def zip_finding(path: Path) -> Finding:
    """Judge the zip of the functions slack and reconcile, which was made a moment ago."""
    try:
        with zipfile.ZipFile(path) as zipped:
            names = zipped.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        return failed(
            ZIP, f"{path.name} cannot be read: {error}", f"Delete {path}, and look again."
        )
    if any(name.endswith(".pyc") for name in names):
        return ok(ZIP, f"{path.name} is compiled; {path.stat().st_size / 1e6:.1f} MB.")
    library = next(filter(None, map(_LIBRARY.search, names)), None)
    python = f"Python {library[1]}.{library[2]}" if library else "the Python of its functions"
    return warning(
        ZIP,
        f"{path.name} holds no compiled files, since {python} is not on this machine. Each cold "
        "start of the function slack takes three times as long, of the 3 seconds that Slack waits.",
        f"Install {python} here and look again, or name one that is here with --param runtime=….",
    )


def parameters_finding(there: frozenset[str], here: Mapping[str, str], path: str) -> Finding:
    """Judge which parameters are missing at ``path``; ``here`` are those set on this machine."""
    missing = [name for name in REQUIRED if name not in there]
    more = [name for name in here if name not in there and name not in REQUIRED]
    put = "--put-parameters writes them encrypted"
    if missing:
        absent = [name for name in missing if name not in here]
        todo = f"They are set here: {put}." if not absent else ""
        if absent:
            todo = f"Set {' and '.join(absent)} in the environment or in .env; {put}."
        return failed(PARAMETERS, f"Below {path} there is no {', no '.join(missing)}.", todo)
    if more:
        return warning(
            PARAMETERS,
            f"{', '.join(more)} is set here, and not below {path}, where functions read it.",
            f"If the stage should use it too: {put}.",
        )
    return ok(PARAMETERS, f"{len(there)} lie below {path}; nothing is missing.")


async def before_deploying(
    settings: Settings, *, stage: str, image: str, params: Mapping[str, str]
) -> list[Finding]:
    """Run all checks. ``settings`` name the region, ``params`` are further ones for osls."""
    region = settings.aws_region
    local, remote = (
        await _in_checkout(stage, region, image, params),
        await aws_findings(settings, stage),
    )
    return [*local, *remote]


async def aws_findings(settings: Settings, stage: str) -> list[Finding]:
    """Ask AWS whose credentials these are, and which parameters the stage has."""
    return await examine(
        (
            Check((CREDENTIALS,), partial(_credentials, settings)),
            Check((PARAMETERS,), partial(_parameters, settings, stage)),
        )
    )


async def _credentials(settings: Settings) -> list[Finding]:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.aws_stack import AwsStack

    try:
        who = await AwsStack(settings.aws_client_options()).identity()
    except CloudRefused as error:
        return [failed(CREDENTIALS, error.found, error.todo)]
    return [ok(CREDENTIALS, f"{who.name} in account {who.account}, {settings.aws_region}.")]


async def _parameters(settings: Settings, stage: str) -> list[Finding]:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.aws_stack import AwsStack

    path = parameter_path(stage)
    try:
        there = await AwsStack(settings.aws_client_options()).parameter_names(path)
    except CloudRefused as error:
        return [failed(PARAMETERS, error.found, error.todo)]
    return [parameters_finding(there, values_here(settings), path)]


async def _in_checkout(
    stage: str, region: str, image: str, params: Mapping[str, str]
) -> list[Finding]:
    folder, looked_at = checkout(), image_finding(image, stage=stage, region=region)
    if folder is None:
        return [
            failed(
                CHECKOUT,
                "This is an installed package, and a deployment is made from a checkout.",
                "Clone the repository, run `make setup` in it, and call .venv/bin/footnote there.",
            ),
            *(skipped(name, "There is no checkout.") for name in (TOOLS, TEMPLATE, ZIP)),
            looked_at,
        ]
    found = [ok(CHECKOUT, f"{folder}.")]
    tools = await _timed(TOOLS, partial(_tools, folder))
    told = skipped(TEMPLATE, "Without osls it cannot be packaged.")
    if tools.verdict is not Verdict.FAILED:
        # What is wrong with the image was said; the template is judged with that of the example.
        image = image if looked_at.verdict is Verdict.OK else ""
        told = await _timed(
            TEMPLATE, partial(template_finding, folder, stage, region, image, params)
        )
    zipped = skipped(ZIP, "It was not made, or not by this program.")
    if stage == WITHOUT_IMAGE:
        zipped = skipped(ZIP, "Stage local takes the packages of the checkout.")
    elif told.verdict is Verdict.OK and "slackZip" not in params:
        zipped = zip_finding(folder / "build" / "slack.zip")
    return [*found, tools, told, zipped, looked_at]


async def _timed(name: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    async def findings() -> list[Finding]:
        return [await look()]

    return (await examine([Check((name,), findings)], seconds=_TOOL_SECONDS))[0]


async def _tools(folder: Path) -> Finding:
    ended = await run_module(folder, "infra.osls", "--version")
    if ended.status:
        todo = "Run `make setup`, and see that this machine can reach the npm registry."
        return failed(TOOLS, f"osls does not run here: {ended.why}", todo)
    return ok(TOOLS, "Node and osls are there.")


async def template_finding(
    folder: Path, stage: str, region: str, image: str, params: Mapping[str, str]
) -> Finding:
    """Make the zips and have osls package the checkout in ``folder``; nothing is deployed."""
    ended = await make_zips(folder, stage, params)
    if not ended.status:
        ended = await run_module(folder, *osls_line("package", stage, region, image, params))
    if ended.status:
        todo = "Mend that, or take serverless.yml as it is in the repository."
        return failed(TEMPLATE, f"serverless.yml cannot be packaged: {ended.why}", todo)
    return ok(TEMPLATE, "serverless.yml and the zips can be packaged.")
