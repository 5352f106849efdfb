"""A deployed stage, found by its name: what the stack consists of, and the settings that lie there.

Whoever runs a command on a laptop then looks at what the functions look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from handlers.runtime.deployed import known_parameters
from handlers.runtime.settings import Settings, SettingsError

DEFAULT_REGION: Final = "eu-west-1"
"""The region of serverless.yml where nobody names one."""

WITHOUT_IMAGE: Final = "local"
"""The stage whose functions are zips, for the local cloud."""

Load = Callable[..., Settings]

_FIELDS = {
    "queue_url": "AnswerQueueUrl",
    "dead_letters_url": "AnswerDeadLettersUrl",
    "state_table": "StateTableName",
    "index": "IndexAddress",
}

_FIELDS_OF_AGENTS = {
    "agent_queue_url": "AgentQueueUrl",
    "agent_dead_letters_url": "AgentDeadLettersUrl",
    "audit_table": "AuditTableName",
}
"""Those of a stage in which agent mode is on; the table is there in any case."""

_OWN = (
    *("home", "models", "log_level", "aws_region", "aws_endpoint_url"),
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that is deployed, with the settings of its functions and the outputs of its stack."""

    name: str
    region: str
    settings: Settings
    outputs: Mapping[str, str]

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return stack_name(self.name)


def stack_name(stage: str) -> str:
    """Return the name that osls gives the stack of a stage."""
    return f"footnote-{stage}"


def parameter_path(stage: str) -> str:
    """Return where the parameters of a stage lie."""
    return f"/footnote/{stage}/"


def in_region(settings: Settings, region: str) -> Settings:
    """Return the settings with the region that was asked for, else theirs, else the stack's."""
    return settings.replaced(aws_region=region or settings.aws_region or DEFAULT_REGION)


async def open_stage(
    settings: Settings, name: str, *, region: str = "", load: Load = Settings.load
) -> Stage:
    """Ask AWS for stack and parameters. ``load`` reads the settings again, with those found there.

    Raises SettingsError, CloudRefused.
    """
    from handlers.adapters.aws import make_client
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.aws_stack import AwsStack
    from handlers.adapters.parameters import ParametersUnreadable, read_parameters

    settings = in_region(settings, region)
    outputs = await AwsStack(settings.aws_client_options()).outputs(stack_name(name))
    missing = [output for output in _FIELDS.values() if output not in outputs]
    if missing:
        raise CloudRefused(f"The stack {stack_name(name)}, which has no {missing[0]},", "NotFound")
    client = make_client("ssm", settings.aws_client_options())
    try:
        found = await asyncio.to_thread(read_parameters, client, parameter_path(name))
    except ParametersUnreadable as error:
        raise SettingsError([str(error)]) from error
    finally:
        client.close()
    overrides: dict[str, object] = {field: outputs[output] for field, output in _FIELDS.items()}
    overrides |= {
        f: outputs[output] for f, output in _FIELDS_OF_AGENTS.items() if output in outputs
    }
    overrides["agent"] = "ON" if "AgentQueueUrl" in outputs else "OFF"
    # Of this machine count its folders and its rights; the tokens of another stage, exported here
    # perhaps, are not what the functions use.
    overrides |= {field: getattr(settings, field) for field in _OWN}
    loaded = load({}, overrides=overrides, parameters=known_parameters(found))
    return Stage(name, settings.aws_region, loaded, outputs)
