"""A company in a local Slack, its documents, and a plain account of who may read which of them.

The account is kept apart from the code under test: it compares written readers such as
``slack-group:S1`` as strings, and asks nobody but the workspace itself.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.conversation import Mention, Place
from bot.playground.people import User, UserGroup
from bot.playground.server import Playground
from bot.playground.workspace import Conversation
from index.audience import Principal
from index.ports import IndexEntry
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

NASTY = (
    "o'brien",
    'say "hello"',
    "zzz']) OR true --",
    "'; DROP TABLE chunks; --",
    "nul\x00byte",
    "\u202egnp.terces\u202c",
    "שלום עולם",
    "{readers} %s \\ \n $(id)",
    "x" * 10_000,
)
"""What people may call themselves, their groups, sources and pages."""

WORDS = tuple("budget salary holiday laptop merger audit travel garage cloud tea".split())


@dataclass(slots=True)
class Page:
    """A document: where it stands, and its readers as they are written."""

    location: str
    source: str
    title: str
    lines: tuple[str, ...]
    readers: frozenset[str]
    state: int = 0

    def entry(self, embedder: HashingEmbedder) -> IndexEntry:
        """Return what a sync would store of it."""
        return entry(
            embedder,
            self.location,
            *self.lines,
            readers=frozenset(Principal.written(one).id for one in self.readers),
            source=self.source,
            title=self.title,
            fingerprint=f"f{self.state}",
        )


@dataclass
class Company:
    """Nineteen colleagues, three guests and a program, with groups, channels and pages."""

    slack: Playground
    chance: random.Random
    pages: dict[str, Page] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Move everybody in."""
        space, us = self.slack.workspace, self.slack.workspace.bot.id
        space.conversations.clear()
        space.users = {us: space.bot}
        for number in range(22):
            name = NASTY[number % len(NASTY)]
            space.add_user(
                User(
                    f"U{number:02}",
                    f"user{number}",
                    f"{name} {number}",
                    guest=number >= 19,
                    email=f"{self._local(number)}@{('acme', 'Beta')[number % 2]}.example",
                    confirmed=number % 5 != 0,
                )
            )
        space.add_user(User("UBOT", "builds", "Builds", is_bot=True))
        for number, name in enumerate(NASTY):
            group = UserGroup(f"S{number}{name}", name, self._some(4))
            space.groups[group.id] = group
        everybody = [f"U{number:02}" for number in range(19)]
        for channel in (
            Conversation("CALL", "all", "channel", [*everybody, "UBOT", us, "USLEFT"]),
            Conversation("CSMALL", "small", "channel", [*self._some(5), us]),
            Conversation("CGUEST", "guest", "channel", [*self._some(4), "U19", us]),
            Conversation("GLARGE", "large", "private", [*everybody, "UBOT", us, "USLEFT"]),
            Conversation("GTEAM", "team", "private", [*self._some(3), "UBOT", us]),
            Conversation("GPAIR", "pair", "private", [*self._some(2), us]),
            Conversation("GMIXED", "mixed", "private", [*self._some(2), "U20", us]),
            Conversation(f"G{NASTY[2]}", "nasty", "private", [*self._some(6), us]),
            Conversation("GSECRET", "secret", "private", everybody),
        ):
            space.add_conversation(channel)
        space.users["USLEFT"] = User("USLEFT", "left", "Left", deleted=True)
        for number in range(60):
            self._write(number)

    # What there is

    def people(self) -> list[str]:
        """Return the ids of those who may ask: full members."""
        users = self.slack.workspace.users.values()
        return [u.id for u in users if not (u.guest or u.deleted or u.is_bot)]

    def questions(self) -> Iterator[Mention]:
        """Yield mentions for ever: of a colleague, directly or in a room of theirs."""
        us = self.slack.workspace.bot.id
        for number in range(10**9):
            user = self.chance.choice(self.people())
            rooms = [
                found.id
                for found in self.slack.workspace.conversations.values()
                if not found.is_direct and user in found.members and us in found.members
            ]
            place = self.chance.choice([Place.DIRECT, Place.COMMAND, Place.CHANNEL])
            if place is Place.CHANNEL and rooms:
                yield self.asked(user, self.chance.choice(rooms), number=number)
            else:
                yield self.asked(user, number=number)

    def asked(self, user: str, channel: str = "", *, number: int = 0) -> Mention:
        """Return a mention by ``user``, in a channel or directly."""
        place = Place.CHANNEL if channel else Place.DIRECT
        ts = f"1700000000.{number:06}"
        return Mention(self.slack.team, channel or f"D{user[1:]}", user, ts, ts, place, "")

    def query(self) -> str:
        """Return a question: words of the pages, sometimes something nasty or a source."""
        said = " ".join(self.chance.sample(WORDS, self.chance.randint(1, 3)))
        match self.chance.randint(0, 9):
            case 0:
                return self.chance.choice(NASTY)
            case 1:
                page = self.chance.choice(list(self.pages.values()))
                return f'{said} source:"{page.source}"'
            case 2:
                return f"{said} {self.chance.choice(NASTY[:-1])}"
        return said

    # Who may read

    def holds(self, user: str) -> set[str]:
        """Return the readers, as they are written, that open a page to somebody now."""
        space = self.slack.workspace
        who = space.users[user]
        held = {f"slack-user:{user}"}
        if not (who.guest or who.deleted or who.is_bot or who.stranger):
            held.add("everyone")
        if who.email and who.confirmed:
            held |= {f"email:{who.email.lower()}", f"domain:{who.email.split('@')[1].lower()}"}
        held |= {
            f"slack-group:{group.id}"
            for group in space.groups.values()
            if user in group.users and not group.disabled
        }
        return held | {
            f"slack-channel:{channel.id}"
            for channel in space.conversations.values()
            if channel.kind == "private" and {user, space.bot.id} <= set(channel.members)
        }

    def audience(self, mention: Mention) -> list[set[str]]:
        """Return what each of those holds who will see the answer to a mention now.

        In a public channel that is whoever might join it as well.
        """
        if mention.place is not Place.CHANNEL:
            return [self.holds(mention.user)]
        space = self.slack.workspace
        channel = space.conversations[mention.channel]
        people = [space.users[one] for one in channel.members]
        held = [self.holds(one.id) for one in people if not (one.is_bot or one.deleted)]
        return [*held, {"everyone"}] if channel.kind == "channel" else held

    def open_to(self, audience: Sequence[set[str]]) -> set[str]:
        """Return the pages that all of them may read."""
        return {
            name
            for name, page in self.pages.items()
            if all(held & page.readers for held in audience)
        }

    @staticmethod
    def as_compared(written: str) -> str:
        """Return a reader as the account compares it: white space around a name says nothing."""
        kind, _, name = written.partition(":")
        small = kind in ("email", "domain")
        return f"{kind}:{name.lower() if small else name}" if name else kind

    # What changes

    def change(self) -> list[Page]:
        """Change something at random; return the pages that have to be synced again."""
        space = self.slack.workspace
        match self.chance.randint(0, 6):
            case 0 | 1:
                page = self.chance.choice(list(self.pages.values()))
                page.readers, page.state = self._readers(), page.state + 1
                return [page]
            case 2 | 3:
                group = self.chance.choice(list(space.groups.values()))
                group.users = self._some(self.chance.randint(0, 8))
                group.disabled = self.chance.random() < 0.1
            case 4 | 5:
                channel = space.conversations[self.chance.choice(["GTEAM", "GPAIR", "CSMALL"])]
                channel.members = [*self._some(self.chance.randint(1, 6)), space.bot.id]
            case _:
                who = space.users[self.chance.choice(self.people())]
                who.confirmed = not who.confirmed
        return []

    # Inside

    def _some(self, count: int) -> list[str]:
        return [f"U{number:02}" for number in self.chance.sample(range(19), count)]

    def _local(self, number: int) -> str:
        short = NASTY[number % len(NASTY)][:40]
        return f"{''.join(short.split()).replace('@', '')}{number}"

    def _readers(self) -> frozenset[str]:
        space = self.slack.workspace
        user = space.users[self.chance.choice(self.people())]
        private = [c.id for c in space.conversations.values() if c.kind == "private"]
        choices = [
            "everyone",
            "everyone",
            f"slack-user:{user.id}",
            f"slack-user:{self.chance.choice(NASTY)}",
            f"slack-group:{self.chance.choice(list(space.groups))}",
            f"slack-group:{self.chance.choice(list(space.groups))}",
            f"slack-channel:{self.chance.choice(private)}",
            f"slack-channel:{self.chance.choice(private)}",
            f"email:{user.email}",
            f"domain:{self.chance.choice(['Acme', 'beta'])}.example",
            f"group:{self.chance.choice(NASTY)}",
        ]
        written = self.chance.sample(choices, self.chance.randint(0, 3))
        return frozenset(self.as_compared(one) for one in written)

    def _write(self, number: int) -> None:
        words = self.chance.sample(WORDS, 2)
        location = f"page{number}"
        self.pages[location] = Page(
            location,
            source=NASTY[-1] if number == 0 else self.chance.choice(NASTY[:-1]),
            title=f"{NASTY[number] if number < len(NASTY) else self.chance.choice(NASTY[:-1])}",
            lines=tuple(f"The {word} of {location} is told here." for word in words),
            readers=self._readers(),
        )
