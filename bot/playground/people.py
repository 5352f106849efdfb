"""Who is in the local workspace: people, bots, and groups of them."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class User:
    """A person or a bot. ``guest`` is Slack's ``is_restricted``; ``stranger``: another company.

    ``email`` may be "", and is ``confirmed`` by its owner or not. ``tz_offset`` counts seconds.
    """

    id: str
    name: str
    real_name: str
    is_bot: bool = False
    guest: bool = False
    stranger: bool = False
    deleted: bool = False
    email: str = ""
    confirmed: bool = True
    tz_offset: int = 0


@dataclass(slots=True)
class UserGroup:
    """People who are mentioned together, such as @designers."""

    id: str
    handle: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False
