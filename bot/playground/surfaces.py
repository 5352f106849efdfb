"""Short-lived permissions and open views: triggers, response addresses, modals, Home tabs."""

import copy
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.workspace import Change, Workspace

View = dict[str, Any]


@dataclass(slots=True)
class _Trigger:
    user: str
    until: float
    used: bool = False


@dataclass(slots=True)
class ResponseAddress:
    """A ``response_url``: whom and where it answers, and how often it still may."""

    user: str
    channel: str
    until: float
    message_ts: str = ""
    is_ephemeral: bool = False
    thread_ts: str = ""
    uses_left: int = limits.RESPONSE_URL_USES


@dataclass(slots=True)
class Surfaces:
    """Views and what entitles to open them."""

    workspace: Workspace
    clock: Callable[[], float]
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    _addresses: dict[str, ResponseAddress] = field(default_factory=dict)
    _stacks: dict[str, list[View]] = field(default_factory=dict)
    _homes: dict[str, View] = field(default_factory=dict)
    _serial: int = 0

    def new_trigger(self, user: str) -> str:
        """Return a ``trigger_id`` that opens one view for this person within 3 seconds."""
        trigger = f"{self._next()}.{secrets.token_hex(8)}"
        self._triggers[trigger] = _Trigger(user, self.clock() + limits.TRIGGER_SECONDS)
        return trigger

    def spend_trigger(self, trigger: str) -> str:
        """Use a trigger up and return whose it is; refuse what is unknown, used or too old."""
        found = self._triggers.get(trigger)
        if found is None:
            raise SlackRefusal("invalid_trigger_id")
        if found.used:
            raise SlackRefusal("exchanged_trigger_id")
        if self.clock() > found.until:
            raise SlackRefusal("expired_trigger_id")
        found.used = True
        return found.user

    def new_address(self, user: str, channel: str, **where: Any) -> str:
        """Return the secret last part of a ``response_url``."""
        name = secrets.token_urlsafe(18)
        until = self.clock() + limits.RESPONSE_URL_SECONDS
        self._addresses[name] = ResponseAddress(user, channel, until, **where)
        return name

    def spend_address(self, name: str) -> ResponseAddress:
        """Use a ``response_url`` once; refuse it when used up (5), too old (30 min), unknown."""
        found = self._addresses.get(name)
        if found is None:
            raise SlackRefusal("invalid_url", status=404)
        if self.clock() > found.until:
            raise SlackRefusal("expired_url", status=404)
        if not found.uses_left:
            raise SlackRefusal("used_url", status=404)
        found.uses_left -= 1
        return found

    def stack(self, user: str) -> list[View]:
        """Return the open modals of a person, the one on top last."""
        return copy.deepcopy(self._stacks.get(user, []))

    def home(self, user: str) -> View | None:
        """Return the Home tab the app published for a person."""
        return copy.deepcopy(self._homes.get(user))

    def push(self, user: str, view: View) -> View:
        """Put a modal on top of a person's stack, at most three deep."""
        stack = self._stacks.setdefault(user, [])
        if len(stack) >= limits.VIEW_STACK:
            raise SlackRefusal("push_limit_reached")
        root = stack[0]["id"] if stack else ""
        whole = self._whole(view, previous=stack[-1]["id"] if stack else None)
        whole["root_view_id"] = root or whole["id"]
        stack.append(whole)
        self._tell(user)
        return copy.deepcopy(whole)

    def replace(self, user: str, view_id: str, view: View) -> View:
        """Give an open modal new contents under the same id."""
        for position, old in enumerate(self._stacks.get(user, [])):
            if old["id"] == view_id:
                kept = ("id", "root_view_id", "previous_view_id", "external_id")
                whole = {**self._whole(view), **{key: old[key] for key in kept}}
                self._stacks[user][position] = whole
                self._tell(user)
                return copy.deepcopy(whole)
        raise SlackRefusal("not_found")

    def owner(self, *, view_id: str = "", external_id: str = "") -> tuple[str, View]:
        """Return who looks at this view, and the view; refuse when nobody does."""
        for user, stack in self._stacks.items():
            for view in stack:
                if view_id and view["id"] == view_id:
                    return user, copy.deepcopy(view)
                if external_id and view["external_id"] == external_id:
                    return user, copy.deepcopy(view)
        raise SlackRefusal("not_found")

    def has_external(self, external_id: str) -> bool:
        """Tell whether an open view bears this external id."""
        return any(v["external_id"] == external_id for s in self._stacks.values() for v in s)

    def close(self, user: str, *, everything: bool = False) -> View | None:
        """Close the topmost modal of a person, or all; return the one that was on top."""
        stack = self._stacks.get(user, [])
        top = stack.pop() if stack else None
        if everything:
            stack.clear()
        self._tell(user)
        return top

    def publish(self, user: str, view: View) -> View:
        """Replace the Home tab of a person."""
        whole = self._whole(view)
        whole["root_view_id"] = whole["id"]
        self._homes[user] = whole
        self._tell(user)
        return copy.deepcopy(whole)

    def _whole(self, view: View, previous: str | None = None) -> View:
        """Return the view with the fields Slack adds."""
        return {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": None,
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            **copy.deepcopy(view),
            "id": f"V{self._next():08d}",
            "team_id": self.workspace.team,
            "app_id": self.workspace.app_id,
            "app_installed_team_id": self.workspace.team,
            "bot_id": self.workspace.bot_id,
            "hash": secrets.token_hex(8),
            "state": {"values": {}},
            "previous_view_id": previous,
            "root_view_id": None,
        }

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _tell(self, user: str) -> None:
        self.workspace.tell(Change("surface", user=user))
