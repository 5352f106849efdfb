"""How the playground says no.

SlackRefusal            a Web API call was refused, in Slack's own words
PlaygroundMisuse        a test or the page asked for something a person could not do in Slack
"""

from typing import Any


class SlackRefusal(Exception):
    """A Web API call refused the way Slack refuses it: ``{"ok": false, "error": ...}``.

    ``messages`` are the sentences of ``response_metadata.messages``; ``extra`` goes to the top
    level of the response; ``status`` and ``headers`` are those of the HTTP answer.
    """

    def __init__(
        self,
        error: str,
        *messages: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(error, *messages)
        self.error = error
        self.messages = messages
        self.status = status
        self.headers = headers or {}
        self.extra = extra

    def response(self) -> dict[str, Any]:
        """Return the JSON body of the refusal."""
        body: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": list(self.messages)}
        return body


class PlaygroundMisuse(Exception):
    """A person in Slack could not have done this (no such channel, button, message ...)."""

    retryable = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
