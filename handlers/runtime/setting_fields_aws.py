"""The settings of a deployment on AWS, with those of setting_fields_mcp.py below them. Pure."""

from dataclasses import dataclass
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.secret import SecretStr
from handlers.runtime.setting_fields import Setting
from handlers.runtime.setting_fields_mcp import McpFields

_AWS = "AWS"


@dataclass(frozen=True, kw_only=True)
class DeployedFields(McpFields):
    """The values of all settings; ``Settings`` adds how they are read and used."""

    stage: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_STAGE",
            kinds.stage,
            "Name of the deployment, such as `prod`. When set, metrics are written to standard "
            "output, under that name.",
        ),
    ] = ""
    parameters: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_PARAMETERS",
            kinds.parameter_path,
            "Path in the SSM Parameter Store, such as `/footnote/prod/`. The functions that "
            "talk to Slack read all settings below it, by their names here; the environment wins.",
        ),
    ] = ""
    queue_url: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_QUEUE_URL",
            kinds.url,
            "SQS FIFO queue of questions.",
            shown="a SQLite file in FOOTNOTE_HOME",
        ),
    ] = ""
    dead_letters_url: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_DEAD_LETTERS_URL",
            kinds.url,
            "SQS FIFO queue of questions that were given up; `footnote redrive` empties it.",
            shown="a SQLite file in FOOTNOTE_HOME",
        ),
    ] = ""
    prepare_queue_url: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_PREPARE_QUEUE_URL",
            kinds.url,
            "SQS FIFO queue of documents to be prepared. When set, a sync of more than "
            "FOOTNOTE_PORTION documents leaves reading and embedding to the function `prepare`.",
        ),
    ] = ""
    portion: Annotated[
        int,
        Setting(
            _AWS,
            "FOOTNOTE_PORTION",
            kinds.whole(1, 300),
            "Most documents that `prepare` is given at once.",
        ),
    ] = 100
    agent_queue_url: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_AGENT_QUEUE_URL",
            kinds.url,
            "SQS FIFO queue of what is asked of the agent.",
            shown="a SQLite file in FOOTNOTE_HOME",
        ),
    ] = ""
    agent_dead_letters_url: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_AGENT_DEAD_LETTERS_URL",
            kinds.url,
            "SQS FIFO queue of what the agent gave up; `footnote redrive` empties it too.",
            shown="a SQLite file in FOOTNOTE_HOME",
        ),
    ] = ""
    audit_table: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_AUDIT_TABLE",
            kinds.text,
            "DynamoDB table of the audit log of agent mode.",
            shown="a SQLite file in FOOTNOTE_HOME",
        ),
    ] = ""
    state_table: Annotated[
        str,
        Setting(
            _AWS,
            "FOOTNOTE_STATE_TABLE",
            kinds.text,
            "DynamoDB table of state.",
            shown="a SQLite file in FOOTNOTE_HOME",
        ),
    ] = ""
    aws_region: Annotated[
        str,
        Setting(_AWS, "AWS_REGION", kinds.text, "Region.", also="AWS_DEFAULT_REGION"),
    ] = ""
    aws_endpoint_url: Annotated[
        str,
        Setting(
            _AWS,
            "AWS_ENDPOINT_URL",
            kinds.url,
            "Another server that speaks S3, SQS, DynamoDB and SSM.",
            shown="AWS",
        ),
    ] = ""
    aws_access_key_id: Annotated[
        str,
        Setting(_AWS, "AWS_ACCESS_KEY_ID", kinds.text, "Credentials.", shown="AWS's own search"),
    ] = ""
    aws_secret_access_key: Annotated[
        SecretStr | None,
        Setting(_AWS, "AWS_SECRET_ACCESS_KEY", kinds.secret, "Credentials."),
    ] = None
    aws_session_token: Annotated[
        SecretStr | None,
        Setting(_AWS, "AWS_SESSION_TOKEN", kinds.secret, "Temporary credentials."),
    ] = None
