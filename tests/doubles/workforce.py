"""Workers that prepare portions side by side in this process, each with its own view of the index.

They stand for the queue and the functions behind it: every job is done by one of them at a time,
and one whose worker died comes again.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from index.errors import KnowledgeError
from index.fan_out import FanOut
from index.lance import LanceIndex
from index.ports import Embedder, Parser, Source
from index.preparing import give_up, prepare_asked
from index.staging import Staging


class Died(Exception):
    """What a worker does where a test wants it to."""


class Workforce:
    """``tries`` counts how often each portion was begun; ``most_at_once`` were busy together.

    ``before`` is called with each portion that is begun and the number of the try; what it raises
    is the death of the worker. After ``tries_each`` deaths the portion is given up.
    """

    def __init__(
        self,
        staging: Staging,
        source: Source,
        parser: Parser,
        embedder: Embedder,
        open_index: Callable[[], LanceIndex],
        *,
        tries_each: int = 4,
    ) -> None:
        self.tries: Counter[str] = Counter()
        self.asked: list[str] = []
        self.most_at_once = self.busy = 0
        self.before: Callable[[str, int], None] = lambda portion, number: None
        self.seconds: float | None = None
        self._parts = (source, parser, embedder)
        self._staging = staging
        self._open_index = open_index
        self._tries_each = tries_each
        self._jobs: asyncio.Queue[str] = asyncio.Queue()
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ask(self, source: str, portion: str) -> None:
        self.asked.append(portion)
        await self._jobs.put(portion)

    @asynccontextmanager
    async def working(self, workers: int) -> AsyncIterator[None]:
        """Let so many work while the block runs."""
        indexes = [self._open_index() for _ in range(workers)]
        tasks = [asyncio.create_task(self._work(index)) for index in indexes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for index in indexes:
                await index.close()
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    async def _work(self, index: LanceIndex) -> None:
        while True:
            portion = await self._jobs.get()
            self.tries[portion] += 1
            self.busy += 1
            self.most_at_once = max(self.busy, self.most_at_once)
            try:
                await self._begin(portion, index)
            except (Died, KnowledgeError) as error:
                if self.tries[portion] >= self._tries_each:
                    await give_up(self._staging, self._parts[0].name, portion, str(error))
                else:
                    await self._jobs.put(portion)
            finally:
                self.busy -= 1

    async def _begin(self, portion: str, index: LanceIndex) -> None:
        async with self._one_at_a_time[portion]:
            self.before(portion, self.tries[portion])
            await prepare_asked(self._staging, portion, *self._parts, index, seconds=self.seconds)


def fan_out(workforce: Workforce, staging: Staging, index: LanceIndex, most: int = 10) -> FanOut:
    """Return what has a sync ask these workers."""
    return FanOut(
        staging=staging,
        ask=workforce.ask,
        remembered=index.remembered,
        may_write=index.ask,
        most=most,
        look_every=0.01,
        stalled_after=20.0,
    )
