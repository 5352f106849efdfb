"""`footnote serve` beside a local Slack, a scripted model and a local GitHub, and when it dies.

A ``Death`` names a gesture of the journey and what holds the process at one moment after it. There
it is ended with SIGKILL and started again on the same files.
"""

from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from bot.playground.server import Playground
from bot.playground.web_api import Failure
from tests.doubles.github import GitHub
from tests.doubles.scripted_agent import Asked, Decide, ScriptedAgent, Turn
from tests.doubles.serving_process import served
from tests.doubles.stand_in import Trouble

HELD: Final = 3600.0
"""Seconds, longer than any journey: what is held belongs to the dead, and never goes on."""

Reached = Callable[[], object]


class Gesture(StrEnum):
    """What somebody does."""

    ASKS = "asks the agent"
    SEES = "sees the card"
    OPENS = "opens the dialog"
    SUBMITS = "submits what was mended"


@dataclass
class Office:
    """The process, and whatever it talks to. ``patience`` is in seconds.

    ``opened`` tells how many issues there were when it died.
    """

    slack: Playground
    github: GitHub
    model: ScriptedAgent
    environment: Mapping[str, str]
    script: Decide
    patience: float
    opened: int = 0
    arranged: dict[int, Callable[[], float]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    _life: AsyncExitStack = field(default_factory=AsyncExitStack)
    _process: Process | None = None

    def decide(self, asked: Asked) -> Turn:
        """Do what the script says, with the delay that is arranged for this turn."""
        arranged = self.arranged.pop(len(asked.results), None)
        return replace(self.script(asked), delay=arranged() if arranged else 0.0)

    async def begin(self) -> None:
        """Start the process, and have Slack tell it what happens."""
        self.model.decide = self.decide
        self._process, address = await self._life.enter_async_context(served(self.environment))
        self.slack.events_url = address

    async def die_and_begin(self, reached: Reached) -> None:
        """Wait for the moment, end the process, and start it again on the same files."""
        await self.slack.wait_until(reached, self.patience)
        self.opened = sum(len(one.issues) for one in self.github.repositories.values())
        await self.end()
        for failure in self.failures:
            failure.lifted = True
        self.github.mend()
        self.arranged.clear()
        await self.begin()

    async def end(self) -> None:
        """End the process with SIGKILL; nobody listens to Slack any more."""
        self.slack.events_url = ""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()
        await self._life.aclose()


Arm = Callable[[Office], Reached]


@dataclass(frozen=True)
class Death:
    """A moment after ``gesture`` at which the process dies.

    ``arm`` is called before the gesture; what it returns tells whether the process is held there.
    ``opened`` is how many issues were open by then, ``unknown`` whether nobody can tell afterwards,
    ``hurried`` whether people go on before the next process has taken over.
    """

    name: str
    gesture: Gesture
    arm: Arm
    opened: int = 0
    unknown: bool = False
    hurried: bool = False

    async def after(self, gesture: Gesture, doing: Awaitable[None], office: Office) -> None:
        """Do this gesture, and have the process die behind it if its time has come."""
        reached = self.arm(office) if gesture is self.gesture else None
        await doing
        if reached is not None:
            await office.die_and_begin(reached)


def slack_holds(method: str, *, after: bool = False, times: int = 1) -> Arm:
    """Hold the next call of a method, before its work or behind it."""

    def arm(office: Office) -> Reached:
        failure = office.slack.fail_next(method, delay=HELD, after=after, times=times)
        office.failures.append(failure)
        return lambda: failure.begun

    return arm


def model_thinks(results: int) -> Arm:
    """Have the model think for ever about so many results."""

    def arm(office: Office) -> Reached:
        office.arranged[results] = lambda: HELD
        return lambda: results not in office.arranged

    return arm


def once_asked(results: int, then: Arm) -> Arm:
    """Hold what comes after the model's turn about so many results."""

    def arm(office: Office) -> Reached:
        armed: list[Reached] = []

        def arranged() -> float:
            armed.append(then(office))
            return 0.0

        office.arranged[results] = arranged
        return lambda: armed and armed[0]()

    return arm


def github_holds(method: str, *, after: bool = False) -> Arm:
    """Hold the next request to GitHub, before its work, which is never done then, or behind it."""

    def arm(office: Office) -> Reached:
        office.github.trouble(Trouble(delay=HELD, method=method, after=after))
        return lambda: office.github.met

    return arm


def waits_for_a_person(office: Office) -> Reached:
    """Tell when the run is suspended."""
    return lambda: "suspended" in {one.session for one in office.slack.workspace.statuses.values()}


def at_once(office: Office) -> Reached:
    """Hold nothing."""
    return lambda: True
