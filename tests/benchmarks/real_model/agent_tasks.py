"""Twelve small tasks for an agent, and what has to have come of each. Pure.

Half are answered by looking something up, half end in a call that waits for a human, and of these
two need a fact from the handbook first. One needs no tool at all, and one cannot be answered.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did: calls as (tool, arguments) in their order, and the text it ended with.

    ``shown`` is what was left of that text by the check of its citations.
    """

    calls: Sequence[tuple[str, Mapping[str, object]]]
    text: str
    shown: str

    def called(self, tool: str, **wanted: str) -> bool:
        """Tell whether a call of ``tool`` holds these words in these arguments, in any case."""
        return any(
            name == tool
            and all(words.lower() in _said(arguments.get(key)) for key, words in wanted.items())
            for name, arguments in self.calls
        )

    def acted(self) -> bool:
        """Tell whether anything was asked for that waits for a human."""
        return any(name in ACTING for name, _ in self.calls)


ACTING = ("post_message", "set_reminder", "open_github_issue")

Check = Callable[[Done], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """``worked`` judges calls and words; words count only as they are shown to people."""

    name: str
    asked: str
    worked: Check


def _looked_up(*words: str) -> Check:
    return lambda done: (
        done.called("search_documents")
        and not done.acted()
        and all(word in done.shown for word in words)
    )


TASKS: Sequence[Task] = (
    Task("one fact", "How many days of paid holiday do I have?", _looked_up("27")),
    Task(
        "one fact, in weeks", "How long is leave for the parent who gives birth?", _looked_up("26")
    ),
    Task("one fact, a rule", "How many characters must a password have?", _looked_up("16")),
    Task(
        "two facts",
        "How long are backups kept, and how much may a hotel cost in Copenhagen?",
        _looked_up("35", "200"),
    ),
    Task(
        "sources",
        "Which sources of documents can you search?",
        lambda done: done.called("list_sources") and "handbook" in done.shown.lower(),
    ),
    Task(
        "cannot be known",
        "What is the name of the chief executive's cat?",
        lambda done: not done.shown and not done.acted(),
    ),
    Task(
        "no tool",
        "Say hello.",
        lambda done: not done.acted() and bool(done.text),
    ),
    Task(
        "post",
        "Post in this thread: The meeting moves to 3 pm.",
        lambda done: done.called("post_message", channel="this thread", text="3 pm"),
    ),
    Task(
        "remind",
        "Remind me in this thread on 24 December 2027 at 09:00 UTC to water the plants.",
        lambda done: done.called("set_reminder", at="2027-12-24T09:00", text="plants"),
    ),
    Task(
        "issue",
        "Open a GitHub issue in acme/handbook with the title Add a page about pensions.",
        lambda done: done.called("open_github_issue", title="pensions", repository="acme/handbook"),
    ),
    Task(
        "look up, then post",
        "Look up how long backups are kept, then post the answer in #general.",
        lambda done: (
            done.called("search_documents")
            and done.called("post_message", channel="general", text="35")
        ),
    ),
    Task(
        "look up, then issue",
        "Look up the limit for a hotel in Copenhagen, then open a GitHub issue in acme/handbook"
        " that asks to raise it and names the limit.",
        lambda done: (
            done.called("search_documents") and done.called("open_github_issue", body="200")
        ),
    ),
)


def _said(value: object) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).lower()
