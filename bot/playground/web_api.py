"""The Web API: one table of methods, and the order in which a call is looked at."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.playground import (
    limits,
    methods_app,
    methods_chat,
    methods_conversations,
    methods_listings,
    methods_people,
    methods_scheduled,
    methods_search,
    methods_streams,
)
from bot.playground.errors import SlackRefusal
from bot.playground.limits import RateLimiter
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.workspace import Change
from bot.scopes import HEADER, scopes_header

METHODS: dict[str, Method] = {
    method.name: method
    for room in (
        methods_chat,
        methods_scheduled,
        methods_search,
        methods_streams,
        methods_conversations,
        methods_listings,
        methods_people,
        methods_app,
    )
    for method in room.METHODS
}


class Call(NamedTuple):
    """One call of the Web API and its answer; the token is left out."""

    method: str
    arguments: Arguments
    response: dict[str, Any]


@dataclass(slots=True)
class Failure:
    """What the next call of a method meets instead of, or after, its work.

    ``begun`` tells that a call has met it: with a delay, that call is now held here, before its
    work or, with ``after``, behind it; ``held`` counts such calls. Once ``lifted`` it meets no
    further call.
    """

    error: str
    status: int = 200
    retry_after: int | None = None
    after: bool = False
    cut: bool = False
    delay: float = 0.0
    times: int = 1
    begun: bool = False
    held: int = 0
    lifted: bool = False


class Severed(Exception):
    """The connection is to be cut without an answer, as a test asked."""


@dataclass(slots=True)
class WebApi:
    """Answers calls. ``limiter`` None: no rate limits. ``calls`` is the log for tests.

    ``distributed``: the app is one that is sold outside the Marketplace, which may hardly read (the
    pages of conversations.history and conversations.replies on docs.slack.dev).
    """

    slack: LocalSlack
    bot_token: str
    app_token: str
    limiter: RateLimiter | None
    distributed: bool = False
    calls: list[Call] = field(default_factory=list)
    failures: dict[str, list[Failure]] = field(default_factory=dict)

    def delays(self, name: str) -> tuple[float, float]:
        """Return the seconds the next call of this method waits before and after its work."""
        failure = self._waiting(name)
        if failure is None:
            return 0.0, 0.0
        if failure.begun and failure.times <= 1:
            # The one call that it was meant for is held already.
            return 0.0, 0.0
        failure.begun = True
        failure.held += failure.delay > 0
        return (0.0, failure.delay) if failure.after else (failure.delay, 0.0)

    def headers(self, token: str | None) -> dict[str, str]:
        """Return what Slack tells in the headers of every answer: what the token may do."""
        if token == self.bot_token:
            return {HEADER: scopes_header(self.slack.scopes)}
        return {HEADER: "connections:write"} if token == self.app_token else {}

    def call(self, name: str, given: Mapping[str, Any], token: str | None) -> dict[str, Any]:
        """Answer one call, or raise SlackRefusal or Severed; either way it is logged."""
        try:
            response = {"ok": True, **self._answer(name, given, token)}
        except SlackRefusal as refusal:
            self.calls.append(Call(name, dict(given), refusal.response()))
            self._tell(name, refusal)
            raise
        except Severed:
            self.calls.append(Call(name, dict(given), {}))
            raise
        self.calls.append(Call(name, dict(given), copy.deepcopy(response)))
        return response

    def _answer(self, name: str, given: Mapping[str, Any], token: str | None) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            raise SlackRefusal("unknown_method", req_method=name)
        if name != "api.test":
            self._authorise(method, token)
        failure = self._next_failure(name)
        if failure and not failure.after:
            self._fail(failure)
        slow = self.distributed and name in limits.SLOW_OUTSIDE_MARKETPLACE
        if self.limiter:
            channel = str(given.get("channel", ""))
            tier = limits.OUTSIDE_MARKETPLACE if slow else method.tier
            wait = self.limiter.retry_after(name, tier, channel)
            if wait:
                raise SlackRefusal("ratelimited", status=429, headers={"Retry-After": str(wait)})
        arguments = method.read(given)
        if slow:
            most = limits.OUTSIDE_MARKETPLACE_PAGE
            arguments["limit"] = min(arguments.get("limit", most), most)
        answer = method.answer(self.slack, arguments)
        if failure:
            self._fail(failure)
        return answer

    def _tell(self, name: str, refusal: SlackRefusal) -> None:
        """Show whoever looks at the page what the app did wrong."""
        why = f" ({refusal.messages[0]})" if refusal.messages else ""
        text = f"Slack refused {name}: {refusal.error}{why}"
        self.slack.workspace.tell(Change("notice", detail={"text": text, "level": "refusal"}))

    def _authorise(self, method: Method, token: str | None) -> None:
        if not token:
            raise SlackRefusal("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackRefusal("invalid_auth")
        if token != (self.app_token if method.app_token else self.bot_token):
            raise SlackRefusal("not_allowed_token_type")

    def _next_failure(self, name: str) -> Failure | None:
        failure = self._waiting(name)
        if failure is not None:
            failure.times -= 1
            if failure.times <= 0:
                self.failures[name].pop(0)
        return failure

    def _waiting(self, name: str) -> Failure | None:
        waiting = self.failures.get(name, [])
        while waiting and waiting[0].lifted:
            waiting.pop(0)
        return waiting[0] if waiting else None

    def _fail(self, failure: Failure) -> None:
        if failure.cut:
            raise Severed
        if not failure.error:
            return
        headers = {}
        if failure.retry_after is not None:
            headers["Retry-After"] = str(failure.retry_after)
        raise SlackRefusal(failure.error, status=failure.status, headers=headers)
