"""The settings of model, answers and server, with those of setting_fields_documents.py. Pure."""

from dataclasses import dataclass
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.secret import SecretStr
from handlers.runtime.setting_fields import Setting
from handlers.runtime.setting_fields_documents import DocumentFields

_MODEL, _ANSWERS, _SERVER = "Model", "Answers", "Server"


@dataclass(frozen=True, kw_only=True)
class AnswerFields(DocumentFields):
    """The values of the settings of whoever answers."""

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
