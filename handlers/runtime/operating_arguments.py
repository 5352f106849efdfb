"""How the commands of whoever runs an installation are asked on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from handlers.runtime import agent_arguments, mcp_arguments
from handlers.runtime import setting_kinds as kinds
from handlers.runtime.settings import Settings, SettingsError


def add_operating(
    commands_: argparse._SubParsersAction[argparse.ArgumentParser],
    shared: argparse.ArgumentParser,
    place: argparse.ArgumentParser,
    json_flag: argparse.ArgumentParser,
) -> None:
    """Add the commands of whoever runs an installation."""
    commands_.add_parser(
        "sources",
        parents=[shared, place, json_flag],
        help="show how each source of documents is: in step or not, and what was skipped",
    )
    commands_.add_parser(
        "maintain",
        parents=[shared, place, json_flag],
        help="tidy the index now, and take what was removed out of its stored bytes",
    )
    on_aws = argparse.ArgumentParser(add_help=False)
    on_aws.add_argument("--stage", type=kinds.stage, help="a deployment on AWS")
    on_aws.add_argument("--region", default="", help="its region (default: AWS_REGION)")
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--events-url", type=kinds.url, help="the address that Slack posts to")
    commands_.add_parser(
        "doctor",
        parents=[shared, place, on_aws, address, json_flag],
        help="look at everything that Footnote rests on, and say what to do",
    )
    redrive = commands_.add_parser(
        "redrive", parents=[shared, on_aws, json_flag], help="answer questions that were given up"
    )
    redrive.add_argument("--dry-run", action="store_true", help="only say how many there are")
    agent_arguments.add_commands(commands_, shared, on_aws, json_flag)
    mcp_arguments.add_commands(commands_, shared, place, on_aws, json_flag)
    deploy = commands_.add_parser(
        "deploy",
        parents=[on_aws, address, json_flag],
        help="deploy a stage to AWS, from a checkout, and try it out",
    )
    part = deploy.add_mutually_exclusive_group()
    part.add_argument("--check", action="store_true", help="only see whether all is in place")
    part.add_argument("--smoke", action="store_true", help="only try out what is deployed")
    part.add_argument(
        "--put-parameters",
        action="store_true",
        help="first write the secrets that are set here and missing there, encrypted",
    )
    deploy.add_argument("--image", default="", help="the container image, by digest")
    deploy.add_argument(
        "--param",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="a parameter of serverless.yml; may be given several times",
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def doctor(
    arguments: argparse.Namespace, settings: Settings | SettingsError
) -> Coroutine[Any, Any, int]:
    """Return what looks at everything, even where the settings cannot be used."""
    from handlers.runtime.doctor.command import run_doctor

    return run_doctor(
        settings,
        stage=arguments.stage or "",
        region=arguments.region,
        events_url=arguments.events_url or "",
        as_json=arguments.json,
    )


def _sources(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    from handlers.runtime.source_health import run_sources

    return run_sources(settings, as_json=arguments.json)


def _maintain(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    from handlers.runtime.commands import run_maintain

    return run_maintain(settings, as_json=arguments.json)


def _redrive(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    from handlers.runtime.redrive import run_redrive

    return run_redrive(
        settings,
        stage=arguments.stage or "",
        region=arguments.region,
        dry_run=arguments.dry_run,
        as_json=arguments.json,
    )


def _deploy(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    from handlers.runtime import deploy

    asked = deploy.Deployment(
        stage=arguments.stage or settings.stage or "dev",
        region=arguments.region,
        image=arguments.image,
        params=dict(arguments.param),
        events_url=arguments.events_url or "",
        put_parameters=arguments.put_parameters,
    )
    run = deploy.run_deploy
    if arguments.check or arguments.smoke:
        run = deploy.run_check if arguments.check else deploy.run_smoke
    return run(settings, asked, as_json=arguments.json)


Run = Callable[[argparse.Namespace, Settings], Coroutine[Any, Any, int]]

RUNS: Mapping[str, Run] = {
    "doctor": doctor,
    "sources": _sources,
    "maintain": _maintain,
    "redrive": _redrive,
    "agents": agent_arguments.agents,
    "audit": agent_arguments.audit,
    "mcp": mcp_arguments.mcp,
    "tools": mcp_arguments.tools,
    "deploy": _deploy,
}
"""What each command does."""
