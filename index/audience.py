"""Who may read, and who is in the room. Fails closed: what is unknown may not be read."""

from collections.abc import Iterable
from dataclasses import dataclass

from index.documents import stable_id

KINDS = ("slack-user", "slack-group", "slack-channel", "email", "domain", "group")
"""Who can be named: by Slack's ids, by an e-mail address or its domain, or a group of the source.
"""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody a document can be opened to: ``Principal("slack-user", "U1")``.

    Names are compared letter by letter, as Slack's ids are; ``written`` puts an e-mail address and
    a domain into small letters first.
    """

    kind: str
    name: str

    @classmethod
    def written(cls, text: str) -> "Principal":
        """Return the principal that is written as ``everyone`` or ``kind:name``.

        Raises ValueError for a kind that is not one of ``KINDS``, or an empty name.
        """
        if text == EVERYONE.kind:
            return EVERYONE
        kind, _, name = text.partition(":")
        if kind not in KINDS or not name.strip():
            known = ", ".join(f"{one}:..." for one in KINDS)
            raise ValueError(f"{text!r} must be everyone or one of {known}.")
        name = name.strip()
        return cls(kind, name.lower() if kind in ("email", "domain") else name)

    @property
    def id(self) -> str:
        """The opaque hex id that stands in the index and in filters."""
        return stable_id("principal", self.kind, self.name)


EVERYONE = Principal("everyone", "")


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who will see an answer, each as the set of principal ids that person holds.

    A passage may be offered only if **every** member may read it. An audience without members is
    nobody in particular, and may read nothing.
    """

    members: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, *members: Iterable[Principal]) -> "Audience":
        """Build an audience from the principals of each member."""
        return cls(tuple(frozenset(p.id for p in member) for member in members))

    @classmethod
    def everyone(cls) -> "Audience":
        """Return a room of which is known only that all are full members of the workspace."""
        return cls.of((EVERYONE,))

    def may_read(self, readers: frozenset[str]) -> bool:
        """Tell whether every member holds one of ``readers``; never true for an empty audience."""
        return bool(self.members) and all(member & readers for member in self.members)
