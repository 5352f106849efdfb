"""Whether answers helped: each reader's last vote on each answer, kept as long as its footnotes.

    feedback:<key of the mention>:<hash of key and reader>   {"helpful": true, "clicked_at": "..."}

A row holds nothing that anybody wrote, and no name. The hash keeps the votes of one reader on
several answers apart; it hides the reader from a glance, not from somebody who knows the ids of all
members and tries them out.
"""

import logging
from collections.abc import Callable

from bot.conversation import Vote
from handlers.work.answers import KEPT_SECONDS, is_kept
from handlers.work.jobs import opaque
from handlers.work.ports import ListedStore, StateStore

log = logging.getLogger(__name__)

_PREFIX = "feedback:"

Counter = Callable[[bool], None]


def uncounted(helpful: bool) -> None:
    """Count nothing: the counter of a laptop and of most tests."""


async def keep_vote(store: StateStore, vote: Vote) -> bool:
    """Keep a vote, unless it is on no kept answer or a later click of this reader is known.

    Tell whether it counts: the first vote of a reader on an answer does, and a changed mind. A
    click that is delivered twice, or after a later one, does not. Raises StoreUnavailable.
    """
    if not await is_kept(store, vote.key):
        log.info("a vote was ignored: no such answer is kept")
        return False
    name = f"{_PREFIX}{vote.key}:{opaque(f'{vote.key}:{vote.user}')}"
    value = {"helpful": vote.helpful, "clicked_at": vote.clicked_at}
    while await store.put_if_absent(name, value, KEPT_SECONDS) is None:
        item = await store.get(name)
        if item is None:
            continue
        if _order(vote.clicked_at) <= _order(str(item.value["clicked_at"])):
            return False
        if await store.replace(name, value, KEPT_SECONDS, item.revision):
            return item.value["helpful"] != vote.helpful
    return True


async def unhelpful(store: ListedStore) -> list[str]:
    """Return the keys of the mentions whose answer did not help somebody, the oldest first.

    Reads all votes that are kept. Raises StoreUnavailable.
    """
    found: set[str] = set()
    for name in await store.keys(_PREFIX):
        item = await store.get(name)
        if item is not None and item.value.get("helpful") is False:
            found.add(name.removeprefix(_PREFIX).rpartition(":")[0])
    return sorted(found, key=lambda key: _order(key.rpartition(":")[2]))


def _order(clicked_at: str) -> tuple[int, str]:
    """Return what sorts as Slack's times do: a float would lose the last digits."""
    seconds, _, fraction = clicked_at.partition(".")
    return int(seconds), fraction
