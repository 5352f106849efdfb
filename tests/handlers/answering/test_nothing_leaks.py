"""Nobody is told what somebody in the room may not read, whatever anything is called.

The whole way is real: a local Slack over HTTP, an index of LanceDB, the search. Who may read what
is compared with the plain account of ``tests/doubles/company.py``.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.client import make_client
from bot.conversation import Mention
from bot.playground.server import Playground
from bot.scopes import BOT_SCOPES, OPTIONAL_SCOPES
from handlers.answering.room import Rooms
from index.audience import Audience
from index.documents import Passage, stable_id
from index.lance import LanceIndex
from index.ports import Candidate
from index.retrieval import Retriever
from tests.doubles.company import Company, Page
from tests.doubles.hashing_embedder import HashingEmbedder

EMBEDDER = HashingEmbedder(32)
EVERYTHING = 10_000
KINDS = ("vector", "keyword", "hybrid", "question", "beside")
QUERIES = 10
"""Searches for each audience."""


@dataclass
class Office:
    """A company, its index as the writer has it and as a worker reads it, and who is in a room."""

    company: Company
    writer: LanceIndex
    reader: LanceIndex
    rooms: Rooms

    async def sync(self, pages: Iterable[Page]) -> None:
        """Bring the index in step with these pages."""
        await self.writer.stage([page.entry(EMBEDDER) for page in pages])
        await self.writer.commit()
        await self.writer.maintain()

    async def audience(self, mention: Mention) -> Audience:
        """Return who will see the answer."""
        found = await self.rooms.audience(mention)
        assert found is not None
        return found

    async def offered(self, mention: Mention, query: str = "budget") -> set[str]:
        """Return the pages of which something is offered for a question."""
        retriever = Retriever(self.reader, EMBEDDER, limit=EVERYTHING, context_characters=10**6)
        found = await retriever.retrieve(query, await self.audience(mention))
        passages = [*found.passages, *found.related, *found.ranking]
        return {passage.url.rpartition("/")[2] for passage in passages}


Open = Callable[[int], AbstractAsyncContextManager[Office]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open an office by a seed."""

    @asynccontextmanager
    async def office(seed: int) -> AsyncIterator[Office]:
        one, other = (
            LanceIndex(str(tmp_path / "index"), embedder=EMBEDDER.name, dimensions=32)
            for _ in range(2)
        )
        async with Playground(
            signing_secret="s", rate_limits=False, scopes=BOT_SCOPES | OPTIONAL_SCOPES
        ) as slack:
            company = Company(slack, random.Random(seed))
            client = make_client("xoxb-playground", slack.api_url)
            opened = Office(company, one, other, Rooms(client, other.withholds))
            await opened.sync(company.pages.values())
            await one.maintain(force=True)
            await other.warm()
            yield opened
        await one.close()
        await other.close()

    return office


async def search(office: Office, kind: str, query: str, audience: Audience) -> list[str]:
    """Return the page of all that one search offers, one for each passage."""
    found: Sequence[Passage | Candidate]
    vector = EMBEDDER.embed_query("quite something else" if kind == "keyword" else query)
    if kind == "question":
        answer = await Retriever(office.reader, EMBEDDER).retrieve(query, audience)
        found = [*answer.passages, *answer.related, *answer.ranking]
    elif kind == "beside":
        pages = office.company.pages.values()
        places = [(stable_id(page.source, page.location), 1) for page in pages]
        found = await office.reader.at(places, vector, audience)
    else:
        said = "" if kind == "vector" else query
        limit = EVERYTHING if len(query) % 4 == 0 else 5
        found = await office.reader.search(vector, said, audience, limit)
    return [one.url.rpartition("/")[2] for one in found]


async def check_searches(office: Office, checks: int, *, rooms: int = 3) -> Counter[str]:
    """Search until there were so many checks; return what was seen, leaks among it.

    After so many rooms something changes: readers, groups, members or addresses.
    """
    seen: Counter[str] = Counter()
    company, chance = office.company, office.company.chance
    for asked, mention in enumerate(company.questions(), start=1):
        audience = await office.audience(mention)
        allowed = company.open_to(company.audience(mention))
        named = await office.reader.sources(audience)
        seen["leaks"] += not named <= {company.pages[one].source for one in allowed}
        kinds = chance.choices(KINDS, [5, 5, 5, 4, 1], k=QUERIES)
        answers = await asyncio.gather(
            *(search(office, kind, company.query(), audience) for kind in kinds)
        )
        seen.update(kinds)
        seen["checks"] += len(answers)
        for offered in answers:
            seen["offered"] += len(offered)
            seen[f"answered {mention.place}"] += bool(offered)
            seen["leaks"] += len(set(offered) - allowed)
        if seen["checks"] >= checks:
            return seen
        if asked % rooms == 0:
            await office.sync(company.change())
    raise AssertionError("questions never end")


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_search_offers_what_somebody_in_the_room_may_not_read(
    opened: Open, seed: int
) -> None:
    async with opened(seed) as office:
        seen = await check_searches(office, 1_500)
    assert seen["leaks"] == 0
    assert seen["offered"] > seen["checks"]
    assert min(seen[kind] for kind in KINDS) > 50
    assert min(seen[f"answered {place}"] for place in ("direct", "channel")) > 100


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 20))
async def test_no_search_of_a_hundred_thousand_offers_what_may_not_be_read(
    opened: Open, seed: int
) -> None:
    async with opened(seed) as office:
        seen = await check_searches(office, 10_000, rooms=10)
    print(dict(seen))
    assert seen["checks"] == 10_000
    assert seen["leaks"] == 0


async def test_everybody_is_offered_all_that_they_may_read_alone(opened: Open) -> None:
    async with opened(3) as office:
        company = office.company
        for user in company.people():
            audience = await office.audience(company.asked(user))
            vector = EMBEDDER.embed_query("budget")
            found = await office.reader.search(vector, "", audience, EVERYTHING)
            locations = {one.url.rpartition("/")[2] for one in found}
            assert locations == company.open_to([company.holds(user)])


Revocation = Callable[[Office, str, str], list[Page]]


def closed_page(office: Office, user: str, page: str) -> list[Page]:
    """Take a page's readers away, and give it to somebody else."""
    found = office.company.pages[page]
    found.readers, found.state = frozenset({"slack-user:USOMEBODY"}), found.state + 1
    return [found]


def left_group(office: Office, user: str, page: str) -> list[Page]:
    """Take somebody out of every group."""
    for group in office.company.slack.workspace.groups.values():
        group.users = [one for one in group.users if one != user]
    return []


def dissolved_groups(office: Office, user: str, page: str) -> list[Page]:
    """Disable every group that somebody is in."""
    for group in office.company.slack.workspace.groups.values():
        group.disabled |= user in group.users
    return []


def left_channels(office: Office, user: str, page: str) -> list[Page]:
    """Take somebody out of every private channel."""
    for channel in office.company.slack.workspace.conversations.values():
        if channel.kind == "private":
            channel.members = [one for one in channel.members if one != user]
    return []


def bot_left_channels(office: Office, user: str, page: str) -> list[Page]:
    """Take the bot out of every private channel, so that it knows nobody in them any more."""
    space = office.company.slack.workspace
    for channel in space.conversations.values():
        if channel.kind == "private":
            channel.members = [one for one in channel.members if one != space.bot.id]
    return []


def lost_address(office: Office, user: str, page: str) -> list[Page]:
    """Give somebody another address, which nobody has confirmed."""
    who = office.company.slack.workspace.users[user]
    who.email, who.confirmed = f"new-{who.email}", False
    return []


READERS: dict[str, tuple[str, tuple[Revocation, ...]]] = {
    "user": ("slack-user:{user}", (closed_page,)),
    "group": ("slack-group:{group}", (closed_page, left_group, dissolved_groups)),
    "channel": ("slack-channel:GTEAM", (closed_page, left_channels, bot_left_channels)),
    "address": ("email:{email}", (closed_page, lost_address)),
    "domain": ("domain:{domain}", (closed_page, lost_address)),
    "everyone": ("everyone", (closed_page,)),
}


async def check_revocations(office: Office, count: int) -> int:
    """Open a page to somebody, who is offered it, and close it again; return the stale offers."""
    company, chance, stale = office.company, office.company.chance, 0
    space = company.slack.workspace
    for _ in range(count):
        user, page = chance.choice(company.people()), chance.choice(list(company.pages.values()))
        who, group = space.users[user], chance.choice(list(space.groups.values()))
        who.email, who.confirmed = f"{user}.{page.state}@{user}.example", True
        group.users, group.disabled = [user, "U01"], False
        space.conversations["GTEAM"].members = [user, "U02", space.bot.id]
        written, revocations = chance.choice(list(READERS.values()))
        reader = written.format(
            user=user, group=group.id, email=who.email.upper(), domain=f"{user}.Example"
        )
        page.readers, page.state = frozenset({company.as_compared(reader)}), page.state + 1
        await office.sync([page])
        mention = company.asked(user)
        assert page.location in await office.offered(mention), reader
        await office.sync(chance.choice(revocations)(office, user, page.location))
        stale += page.location in await office.offered(mention)
        assert page.location not in company.open_to([company.holds(user)])
    return stale


async def check_narrowings(office: Office, count: int) -> int:
    """Let somebody into a small room who may not read what was told there; return stale offers."""
    company, chance, stale = office.company, office.company.chance, 0
    space = company.slack.workspace
    for _ in range(count):
        page = chance.choice(list(company.pages.values()))
        one, two, other, guest = *chance.sample(company.people(), 3), "U21"
        pair = space.conversations["GPAIR"]
        pair.members = [one, two, space.bot.id]
        group = chance.choice(list(space.groups.values()))
        group.users, group.disabled = [one, two], False
        told, joins = chance.choice(
            [
                ({f"slack-user:{one}", f"slack-user:{two}"}, other),
                ({f"slack-group:{group.id}"}, other),
                ({"everyone"}, guest),
            ]
        )
        page.readers, page.state = frozenset(told), page.state + 1
        await office.sync([page])
        mention = company.asked(one, "GPAIR")
        assert page.location in await office.offered(mention)
        pair.members.append(joins)
        stale += page.location in await office.offered(mention)
    return stale


async def test_what_was_taken_away_is_not_in_the_answer_to_the_next_question(opened: Open) -> None:
    async with opened(4) as office:
        assert await check_revocations(office, 40) == 0
        assert await check_narrowings(office, 10) == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_none_of_a_thousand_revocations_comes_late(opened: Open) -> None:
    async with opened(5) as office:
        for _ in range(20):
            assert await check_revocations(office, 40) == 0
            assert await check_narrowings(office, 10) == 0
