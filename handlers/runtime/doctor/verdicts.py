"""What numbers and lists mean for the operator: the judgements of `footnote doctor`. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from bot.scopes import BOT_SCOPES, OPTIONAL_SCOPES
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning

CLOCK_WARNING_SECONDS: Final = 30.0
CLOCK_FAILED_SECONDS: Final = 240.0
"""Slack's requests are refused when they seem to be 300 s old; a minute is left for their way."""

FUNCTION_SECONDS: Final = 120.0
"""The parameter answerTimeout of serverless.yml, where the stack itself was not asked."""

BESIDES_MODEL_SECONDS: Final = 20.0
"""Reading the thread, searching, and falling back to quotes when the model was too slow."""

SLACK_STREAM_SECONDS: Final = 300.0
WAITING_SECONDS: Final = 300.0
"""A question that has waited this long waits for something other than its turn."""

STALE_SECONDS: Final = 24 * 3600.0
"""Whoever syncs less often than once a day is told how old the index is."""

_NAMED_CHANNELS = 5


def scopes_verdict(check: str, granted: Collection[str] | None) -> Finding:
    """Compare what the token may do with what the manifest asks for; None: Slack did not say."""
    if granted is None:
        return warning(
            check,
            "Slack did not say which permissions the token has.",
            "Compare OAuth & Permissions of your Slack app with infra/manifest.yml yourself.",
        )
    missing = sorted(BOT_SCOPES - set(granted))
    if missing:
        return failed(
            check,
            f"The token lacks {', '.join(missing)}.",
            "Paste infra/manifest.yml into App Manifest of your Slack app, save, and install the "
            "app again; if Slack shows another token then, set it.",
        )
    more = sorted(set(granted) - BOT_SCOPES - OPTIONAL_SCOPES)
    beyond = f" It may also use {', '.join(more)}, which Footnote does not need." if more else ""
    return ok(check, f"The token has all {len(BOT_SCOPES)} permissions of the manifest.{beyond}")


def channels_verdict(check: str, names: Sequence[str], shared: int) -> Finding:
    """Judge the channels that the bot is in; ``shared`` of them with another company."""
    if not names:
        return warning(
            check,
            "The bot is in no channel. People can only write to it directly, or use /ask.",
            "Invite it where people ask: /invite @Footnote.",
        )
    shown = ", ".join(f"#{name}" for name in sorted(names)[:_NAMED_CHANNELS])
    more = f" and {len(names) - _NAMED_CHANNELS} more" if len(names) > _NAMED_CHANNELS else ""
    silent = f" It stays silent in {shared} shared with other companies." if shared else ""
    return ok(check, f"The bot is in {shown}{more}.{silent}")


def clock_verdict(check: str, ahead: float, whose: str) -> Finding:
    """Judge by how many seconds this clock is ahead of the one of ``whose`` server."""
    found = f"This clock and that of {whose} agree within {max(abs(ahead), 1):.0f} s."
    if abs(ahead) <= CLOCK_WARNING_SECONDS:
        return ok(check, found)
    way = "ahead of" if ahead > 0 else "behind"
    found = f"This clock is {abs(ahead):.0f} s {way} that of {whose}."
    todo = "Set the clock, best by a time service (NTP); Slack's requests are good for 300 s."
    return (failed if abs(ahead) > CLOCK_FAILED_SECONDS else warning)(check, found, todo)


@dataclass(frozen=True, slots=True)
class QueueState:
    """Questions in a queue. ``oldest`` is the age of the oldest in seconds, None if unknown."""

    waiting: int
    held: int
    oldest: float | None = None


def queue_verdict(check: str, state: QueueState) -> Finding:
    """Judge how many questions wait, and for how long."""
    found = f"{state.waiting} waiting, {state.held} being answered"
    if state.oldest is None:
        return ok(check, f"{found}.")
    found = f"{found}; the oldest has been there for {duration(state.oldest)}."
    if state.oldest > WAITING_SECONDS:
        return warning(
            check,
            found,
            "See whether the worker runs (its log tells why not), and whether Slack and the model "
            "answer it.",
        )
    return ok(check, found)


def dead_letters_verdict(check: str, dead: int) -> Finding:
    """Judge how many questions were given up."""
    if not dead:
        return ok(check, "No question was given up.")
    verb = "question was" if dead == 1 else "questions were"
    return warning(
        check,
        f"{dead} {verb} given up.",
        "The log of the worker says why. When that is mended, run `footnote redrive`.",
    )


def budget_verdict(check: str, answer_seconds: float, function_seconds: float | None) -> Finding:
    """Judge the time that an answer may take; ``function_seconds`` None: no function ends it."""
    needed = answer_seconds + BESIDES_MODEL_SECONDS
    if function_seconds is not None and needed > function_seconds:
        return failed(
            check,
            f"FOOTNOTE_ANSWER_SECONDS is {answer_seconds:g}. With {BESIDES_MODEL_SECONDS:g} s for "
            f"all else that is more than the {function_seconds:g} s of the function, and it would "
            "be ended in the middle of an answer.",
            f"Set it to {function_seconds - BESIDES_MODEL_SECONDS:g} at most, or raise the "
            "parameters answerTimeout and answerVisibility in serverless.yml.",
        )
    if needed > SLACK_STREAM_SECONDS:
        return failed(
            check,
            f"FOOTNOTE_ANSWER_SECONDS is {answer_seconds:g}, and Slack ends a streamed message "
            f"after {SLACK_STREAM_SECONDS:g} s.",
            f"Set it to {SLACK_STREAM_SECONDS - BESIDES_MODEL_SECONDS:g} at most.",
        )
    of = f" of the {function_seconds:g} s of the function" if function_seconds is not None else ""
    return ok(
        check,
        f"An answer may take {needed:g} s{of}; Slack allows {SLACK_STREAM_SECONDS:g} s.",
    )


def price_verdict(check: str, model: str, price_in: float, price_out: float) -> Finding:
    """Judge whether the cost of an answer can be told; prices are in dollars a million tokens."""
    if not model:
        return skipped(check, "No model is set, so an answer costs nothing.")
    if price_in or price_out:
        return ok(check, f"${price_in:g} for a million tokens in, ${price_out:g} out.")
    return warning(
        check,
        "No price is set for the model, so nobody is told what an answer costs.",
        "Set FOOTNOTE_MODEL_PRICE_IN and FOOTNOTE_MODEL_PRICE_OUT, in dollars a million tokens.",
    )


def index_verdict(
    check: str, documents: int, chunks: int, *, synced: float | None, changed: float | None
) -> Finding:
    """Judge an index that can be read.

    ``synced`` is the age of the last complete sync in seconds, ``changed`` that of the last change;
    None where nothing tells.
    """
    if not documents:
        return warning(
            check,
            "The index holds no document, so every answer is “not found”.",
            "See whether FOOTNOTE_DOCS names the right folder, then run `footnote sync`.",
        )
    found = f"{_count(documents, 'document')} in {_count(chunks, 'passage')}"
    if synced is not None:
        found += f"; in step {duration(synced)} ago"
    elif changed is not None:
        found += f"; last changed {duration(changed)} ago"
    if synced is not None and synced > STALE_SECONDS:
        return warning(
            check,
            f"{found}.",
            "Nothing that was written since then is found. See in its log why the sync does not "
            "end, or run `footnote sync`.",
        )
    return ok(check, f"{found}.")


def duration(seconds: float) -> str:
    """Return a length of time in words that suit its size."""
    for size, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
