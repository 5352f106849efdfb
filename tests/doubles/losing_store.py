"""A store on a bad line: some writes are not done, and of some that are the answer is lost."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from handlers.work.errors import StoreUnavailable
from handlers.work.ports import Item, StateStore

T = TypeVar("T")


class LosingStore:
    """A StateStore in front of ``inner``. Of its calls the share ``loss`` raises StoreUnavailable.

    Half of the writes that raise have been done.
    """

    def __init__(self, inner: StateStore, chance: random.Random, *, loss: float = 0.0) -> None:
        self._inner = inner
        self._chance = chance
        self.loss = loss

    async def get(self, key: str) -> Item | None:
        if self._chance.random() < self.loss:
            raise StoreUnavailable("The line is bad.")
        return await self._inner.get(key)

    async def put_if_absent(self, key: str, value: Mapping[str, object], ttl: float) -> str | None:
        return await self._write(lambda: self._inner.put_if_absent(key, value, ttl))

    async def replace(
        self, key: str, value: Mapping[str, object], ttl: float, revision: str
    ) -> str | None:
        return await self._write(lambda: self._inner.replace(key, value, ttl, revision))

    async def put(self, key: str, value: Mapping[str, object], ttl: float) -> None:
        await self._write(lambda: self._inner.put(key, value, ttl))

    async def delete(self, key: str, revision: str | None = None) -> bool:
        return await self._write(lambda: self._inner.delete(key, revision))

    async def _write(self, write: Callable[[], Awaitable[T]]) -> T:
        lost = self._chance.random() < self.loss
        if lost and self._chance.random() < 0.5:
            raise StoreUnavailable("The line is bad.")
        answer = await write()
        if lost:
            raise StoreUnavailable("The answer was lost.")
        return answer
