"""Every setting: its name, its default, what it may hold and what it means. Pure.

Those of a deployment on AWS are in setting_fields_aws.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.secret import SecretStr


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a setting besides its type.

    ``shown`` stands for the default in the table, ``also`` is a second name that is read.
    """

    group: str
    name: str
    parse: Callable[[str], object]
    meaning: str
    shown: str = ""
    also: str = ""


_SLACK, _DOCUMENTS, _MODEL = "Slack", "Documents", "Model"
_ANSWERS, _SERVER = "Answers", "Server"


@dataclass(frozen=True, kw_only=True)
class SettingFields:
    """The values of the settings that every installation has."""

    slack_bot_token: Annotated[
        SecretStr | None,
        Setting(
            _SLACK,
            "SLACK_BOT_TOKEN",
            kinds.token("xoxb-", "xoxe.xoxb-", where='"OAuth & Permissions" of your Slack app'),
            "Bot User OAuth Token, `xoxb-…`.",
        ),
    ] = None
    slack_signing_secret: Annotated[
        SecretStr | None,
        Setting(
            _SLACK,
            "SLACK_SIGNING_SECRET",
            kinds.signing_secret,
            "Signing Secret; needed when Slack posts to `/slack/events`.",
        ),
    ] = None
    slack_app_token: Annotated[
        SecretStr | None,
        Setting(
            _SLACK,
            "SLACK_APP_TOKEN",
            kinds.token("xapp-", where='"Basic Information" of your Slack app, App-Level Tokens'),
            "App-level token, `xapp-…`. When set, Footnote connects by Socket Mode and needs no "
            "public address.",
        ),
    ] = None
    slack_api_url: Annotated[
        str,
        Setting(
            _SLACK,
            "SLACK_API_URL",
            kinds.url_folder,
            "Slack's Web API, or any server that speaks it.",
        ),
    ] = "https://slack.com/api/"

    docs: Annotated[
        Path | None,
        Setting(_DOCUMENTS, "FOOTNOTE_DOCS", kinds.path, "Folder of documents to answer from."),
    ] = None
    docs_url: Annotated[
        str,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_DOCS_URL",
            kinds.url_folder,
            "Where people can open that folder in a browser; footnotes link to it.",
        ),
    ] = ""
    home: Annotated[
        Path,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_HOME",
            kinds.path,
            "Folder for what Footnote keeps: index, queue, state and models.",
        ),
    ] = Path(".footnote")
    models: Annotated[
        Path | None,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_MODELS",
            kinds.path,
            "Folder for the embedder exported to ONNX; made on first use.",
            shown="`models` in FOOTNOTE_HOME",
        ),
    ] = None
    index: Annotated[
        str,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_INDEX",
            kinds.index_address,
            "The index: a folder, or `s3://bucket/prefix`.",
            shown="`index` in FOOTNOTE_HOME",
        ),
    ] = ""
    sync_minutes: Annotated[
        float,
        Setting(
            _DOCUMENTS,
            "FOOTNOTE_SYNC_MINUTES",
            kinds.number(0, 10080),
            "Minutes between two syncs of `footnote serve`; 0 syncs only at the start.",
        ),
    ] = 60.0

    openai_model: Annotated[
        str,
        Setting(
            _MODEL,
            "OPENAI_MODEL",
            kinds.text,
            "Name of the model. Without one, Footnote answers with quotes and needs no model.",
        ),
    ] = ""
    openai_api_key: Annotated[
        SecretStr | None,
        Setting(
            _MODEL,
            "OPENAI_API_KEY",
            kinds.secret,
            "Key of the endpoint; a local endpoint needs none.",
        ),
    ] = None
    openai_base_url: Annotated[
        str,
        Setting(
            _MODEL,
            "OPENAI_BASE_URL",
            kinds.url,
            "Any OpenAI-compatible endpoint, such as `http://localhost:11434/v1`.",
            shown="OpenAI",
        ),
    ] = ""
    model_first_token_seconds: Annotated[
        float,
        Setting(
            _MODEL,
            "FOOTNOTE_MODEL_FIRST_TOKEN_SECONDS",
            kinds.number(1, 240),
            "How long the model may take to begin; then Footnote answers with quotes.",
        ),
    ] = 20.0
    model_window: Annotated[
        int,
        Setting(
            _MODEL,
            "FOOTNOTE_MODEL_WINDOW",
            kinds.whole(2048, 2000000),
            "Tokens of the model's context window; passages that do not fit are left out, the "
            "least valuable first. Ollama gives 4096 unless told otherwise.",
        ),
    ] = 8192
    rewrite: Annotated[
        str,
        Setting(
            _MODEL,
            "FOOTNOTE_REWRITE",
            kinds.one_of("ON", "OFF"),
            "Whether the model makes a follow-up stand alone before it is searched for: one short "
            "call more for each question in a thread.",
        ),
    ] = "ON"
    model_price_in: Annotated[
        float,
        Setting(
            _MODEL,
            "FOOTNOTE_MODEL_PRICE_IN",
            kinds.number(0, 100000),
            "What a million tokens of prompt cost, in US dollars; with both prices at 0 the cost "
            "of an answer is unknown.",
        ),
    ] = 0.0
    model_price_out: Annotated[
        float,
        Setting(
            _MODEL,
            "FOOTNOTE_MODEL_PRICE_OUT",
            kinds.number(0, 100000),
            "What a million tokens of answer cost, in US dollars.",
        ),
    ] = 0.0

    answer_seconds: Annotated[
        float,
        Setting(
            _ANSWERS,
            "FOOTNOTE_ANSWER_SECONDS",
            kinds.number(5, 240),
            "How long the model may take in all. Slack ends a streamed message after 5 minutes.",
        ),
    ] = 60.0
    passages: Annotated[
        int,
        Setting(
            _ANSWERS,
            "FOOTNOTE_PASSAGES",
            kinds.whole(1, 20),
            "Most passages that an answer may rest on; what stands around the best two comes on "
            "top, within the characters.",
        ),
    ] = 8
    context_characters: Annotated[
        int,
        Setting(
            _ANSWERS,
            "FOOTNOTE_CONTEXT_CHARACTERS",
            kinds.whole(500, 200000),
            "Most characters of passages that the model is given.",
        ),
    ] = 6000
    refusal_floor: Annotated[
        float,
        Setting(
            _ANSWERS,
            "FOOTNOTE_REFUSAL_FLOOR",
            kinds.number(0, 1),
            "Without a model: how probable it must be that the quotes answer the question; "
            "below, the answer is an honest “not found”.",
        ),
    ] = 0.23
    entailment_model: Annotated[
        str,
        Setting(
            _ANSWERS,
            "FOOTNOTE_ENTAILMENT_MODEL",
            kinds.text,
            "Any cross-encoder for natural language inference, as a folder or by its name on the "
            "model hub: a second opinion on each sentence that a model writes.",
        ),
    ] = ""

    host: Annotated[
        str,
        Setting(_SERVER, "FOOTNOTE_HOST", kinds.text, "Address that `footnote serve` listens on."),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Setting(
            _SERVER,
            "FOOTNOTE_PORT",
            kinds.whole(0, 65535),
            "Port that it listens on; 0 takes a free one.",
        ),
    ] = 3000
    workers: Annotated[
        int,
        Setting(
            _SERVER, "FOOTNOTE_WORKERS", kinds.whole(1, 64), "Questions answered at the same time."
        ),
    ] = 4
    log_level: Annotated[
        str,
        Setting(
            _SERVER,
            "FOOTNOTE_LOG_LEVEL",
            kinds.one_of("DEBUG", "INFO", "WARNING", "ERROR"),
            "How much is logged. Never message text, never a token.",
        ),
    ] = "INFO"
    otel_endpoint: Annotated[
        str,
        Setting(
            _SERVER,
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            kinds.url_folder,
            "OpenTelemetry collector (OTLP over HTTP), such as `http://localhost:4318`, that gets "
            "a trace of each question; needs `footnote-bot[otel]`.",
        ),
    ] = ""
    otel_headers: Annotated[
        SecretStr | None,
        Setting(
            _SERVER,
            "OTEL_EXPORTER_OTLP_HEADERS",
            kinds.headers,
            "What that collector asks for, such as `api-key=...`; several with commas between.",
        ),
    ] = None
