"""`footnote redrive`: questions, and steps of the agent, that were given up are tried again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.runtime import terminal, wiring
from handlers.runtime.agents import laptop_agent_queue
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.stage import open_stage
from handlers.work.errors import WorkError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

OK, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many questions go back, and how many dead letters are left (approximately, on SQS).

    ``found`` is how many there were at the start, and no more than that are moved: a question that
    fails again at once is not moved in circles. ``error`` tells why it ended early.
    """

    found: int
    moved: int
    left: int
    dry_run: bool = False
    error: str = ""


async def run_redrive(
    settings: Settings, *, stage: str, region: str, dry_run: bool, as_json: bool
) -> int:
    """Put back what was given up, here or in a deployed ``stage``; return the exit code.

    Raises SettingsError and WorkError.
    """
    if stage:
        settings = (await open_stage(settings, stage, region=region)).settings
    if settings.queue_url:
        redriven = await redrive_sqs(settings, dry_run=dry_run)
    else:
        redriven = await redrive_laptop(settings, dry_run=dry_run)
    if as_json:
        terminal.print_json(redriven)
    else:
        print(_sentence(redriven))
    if redriven.error:
        print(redriven.error, file=sys.stderr)
    return FAILED if redriven.error else OK


async def redrive_laptop(settings: Settings, *, dry_run: bool = False) -> Redriven:
    """Let the dead jobs in FOOTNOTE_HOME come again. Raises QueueUnavailable."""
    found = moved = left = 0
    for make in (wiring.laptop_queue, laptop_agent_queue):
        queue = make(settings)
        try:
            found += (await queue.counts()).dead
            moved += 0 if dry_run else await queue.redrive()
            left += (await queue.counts()).dead
        finally:
            await queue.close()
    return Redriven(found, moved, left, dry_run)


async def redrive_sqs(settings: Settings, *, dry_run: bool = False) -> Redriven:
    """Move dead letters to the queues that they came from. Raises SettingsError, QueueUnavailable.

    May be stopped at any time. A question that was just on its way may then be in both queues, and
    is answered once all the same: see handlers/work/claims.py.
    """
    if not settings.dead_letters_url:
        raise SettingsError(
            [
                "FOOTNOTE_DEAD_LETTERS_URL is not set. Name the queue of questions that were given "
                "up, or the stage with --stage."
            ]
        )
    from handlers.adapters.aws import make_client

    client = make_client("sqs", settings.aws_client_options())
    try:
        questions = await _moved(settings.dead_letters_url, settings.queue_url, client, dry_run)
        if questions.error or not (settings.agent_dead_letters_url and settings.agent_queue_url):
            return questions
        steps = await _moved(
            settings.agent_dead_letters_url, settings.agent_queue_url, client, dry_run
        )
    finally:
        client.close()
    return Redriven(
        questions.found + steps.found,
        questions.moved + steps.moved,
        questions.left + steps.left,
        dry_run,
        steps.error,
    )


async def _moved(dead: str, queue: str, client: SQSClient, dry_run: bool) -> Redriven:
    from handlers.adapters.sqs_dead_letters import SqsDeadLetters

    letters = SqsDeadLetters(dead, queue, client)
    moved, error = 0, ""
    try:
        found = await letters.count()
        if dry_run:
            return Redriven(found, 0, found, dry_run=True)
        with terminal.bar("moving") as progress:
            try:
                async for moved in letters.move(found):
                    progress(moved, found)
            except WorkError as refused:
                error = str(refused)
        return Redriven(found, moved, await letters.count(), error=error)
    finally:
        if moved and sys.exc_info()[0] is not None:
            terminal.tell(f"{moved} questions were put back before it was stopped.")


def _sentence(redriven: Redriven) -> str:
    if redriven.dry_run:
        return f"{_questions(redriven.found)} would be put back. Nothing was changed."
    if not redriven.found:
        return "No question was given up; there is nothing to put back."
    return f"{_questions(redriven.moved)} put back; {redriven.left} left."


def _questions(count: int) -> str:
    return f"{count} question" if count == 1 else f"{count} questions"
