"""Settings that are right by themselves and do not fit together. Pure."""

from collections.abc import Iterator

from handlers.runtime.setting_fields_aws import DeployedFields

_TRACKERS = {
    "github": ("url", "repositories", "token"),
    "gitlab": ("url", "projects", "token"),
    "jira": ("url", "projects", "email", "token"),
}
"""Where issues can be opened, and the settings that each needs."""


def conflicts(settings: DeployedFields) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each conflict as the fields that are involved and a sentence for the operator."""
    if settings.openai_model and not (settings.openai_api_key or settings.openai_base_url):
        yield (
            ("openai_api_key", "openai_base_url"),
            "OPENAI_MODEL is set, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is. Set the "
            "key, or the address of an endpoint that needs none; or unset OPENAI_MODEL.",
        )
    if bool(settings.queue_url) != bool(settings.state_table):
        missing = "FOOTNOTE_STATE_TABLE" if settings.queue_url else "FOOTNOTE_QUEUE_URL"
        yield (
            ("queue_url", "state_table"),
            f"{missing} is not set. Queue and state belong together: set both, or neither.",
        )
    if settings.agent == "ON" and settings.queue_url:
        for field, name in (
            ("agent_queue_url", "FOOTNOTE_AGENT_QUEUE_URL"),
            ("audit_table", "FOOTNOTE_AUDIT_TABLE"),
        ):
            if not getattr(settings, field):
                yield (
                    ("agent", "queue_url", field),
                    f"{name} is not set, and FOOTNOTE_AGENT is ON. Deploy with --param agent=true, "
                    "which sets them all.",
                )
    for tracker, parts in _TRACKERS.items():
        given = [part for part in parts if getattr(settings, f"{tracker}_{part}")]
        if given not in ([], ["url"], list(parts)):
            absent = [f"FOOTNOTE_{tracker}_{part}".upper() for part in parts if part not in given]
            yield (
                tuple(f"{tracker}_{part}" for part in parts),
                f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not set, and what "
                "belongs to it is. Set all of them, or none.",
            )
    if (
        (settings.queue_url and settings.state_table)
        or settings.prepare_queue_url
        or settings.agent_queue_url
        or settings.parameters
    ) and not settings.aws_region:
        yield (
            ("aws_region",),
            "AWS_REGION is not set. Name the region of queues, table and parameters.",
        )
    if bool(settings.aws_access_key_id) != bool(settings.aws_secret_access_key):
        missing = "AWS_SECRET_ACCESS_KEY" if settings.aws_access_key_id else "AWS_ACCESS_KEY_ID"
        yield (
            ("aws_access_key_id", "aws_secret_access_key"),
            f"{missing} is not set. Set both halves of the key, or neither.",
        )
    if settings.openai_model and settings.model_first_token_seconds > settings.answer_seconds:
        yield (
            ("model_first_token_seconds", "answer_seconds"),
            "FOOTNOTE_MODEL_FIRST_TOKEN_SECONDS is longer than FOOTNOTE_ANSWER_SECONDS. Make "
            "it shorter, so that there is time left to answer with quotes.",
        )
