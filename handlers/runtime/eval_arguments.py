"""How `footnote eval` and `footnote eval add` are asked on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlers.runtime.settings import Settings

ADD = "eval add"
"""One name for two words: argparse could not tell `add` from a folder of that name."""

NEEDED = ("ir_measures", "jinja2")
LACKS = (
    "`footnote eval` needs {missing}: pip install 'footnote-bot[eval]'. On Linux for ARM there is"
    " no build of ir-measures: pip install ir-measures makes one where there is a C compiler."
)


def joined(argv: Sequence[str]) -> list[str]:
    """Return the arguments with ``eval add`` as one; a folder called so is written ``./add``."""
    given = list(argv)
    return [ADD, *given[2:]] if given[:2] == ADD.split() else given


def add_eval(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    parents: Sequence[argparse.ArgumentParser],
) -> None:
    """Add both commands."""
    judged = commands.add_parser(
        "eval",
        parents=parents,
        help="measure on judged questions",
        description="Measure retrieval, citations and refusals on judged questions.",
        epilog="`footnote eval add QUESTION --expects PAGE` writes a judged case. Exit code 3: with"
        " --against, something was really lost.",
    )
    judged.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="corpus, queries and qrels (BEIR layout), or cases to ask of the real index",
    )
    judged.add_argument("--limit", type=int, metavar="N", help="a sample of N questions a set")
    judged.add_argument(
        "--last-turn", action="store_true", help="leave out what was said before a question"
    )
    judged.add_argument("--retrieval-only", action="store_true", help="rank, but do not answer")
    judged.add_argument(
        "--judge", action="store_true", help="also ask the model whether each quote supports"
    )
    judged.add_argument("--html", type=Path, metavar="FILE", help="write a report with plots")
    judged.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="an earlier --json report: say which differences are real; exit code 3 on a loss",
    )
    added = commands.add_parser(ADD, parents=parents, description="Write a judged case.")
    added.add_argument("question", nargs="?", default="", help="the question, in quotes")
    added.add_argument(
        "--from-feedback",
        action="store_true",
        help="instead of a question: draft a case of each answer in a public channel that somebody"
        " called not helpful, with the pages that it cited",
    )
    added.add_argument(
        "--expects",
        action="append",
        default=[],
        metavar="PAGE",
        help="address or location of a page that answers it; may be given several times",
    )
    added.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="TEXT",
        help="a short answer, word for word as in the page; may be given several times",
    )
    added.add_argument("--unanswerable", action="store_true", help="the documents do not say it")
    added.add_argument("--to", type=Path, help="folder (default: cases in FOOTNOTE_HOME)")


def run(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    """Return what does as asked. Raises KnowledgeError, JudgingError, SettingsError, OSError."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        from handlers.runtime.settings import SettingsError

        raise SettingsError([LACKS.format(missing=" and ".join(missing))])
    from handlers.runtime import evaluating

    if arguments.command == ADD and arguments.from_feedback:
        return _from_feedback(arguments, settings)
    if arguments.command == ADD:
        from handlers.judging.cases import Case

        async def add() -> int:
            case = Case(
                arguments.question,
                tuple(arguments.expects),
                tuple(arguments.answer),
                arguments.unanswerable,
            )
            return evaluating.run_add(settings, case, arguments.to, as_json=arguments.json)

        return add()
    asking = evaluating.Asking(
        folders=tuple(arguments.folders),
        limit=arguments.limit,
        last_turn=arguments.last_turn,
        retrieval_only=arguments.retrieval_only,
        judge=arguments.judge,
        html=arguments.html,
        against=arguments.against,
        as_json=arguments.json,
    )
    return evaluating.run_eval(settings, asking)


def _from_feedback(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    from handlers.runtime.feedback_cases import run_from_feedback
    from handlers.runtime.settings import SettingsError

    if arguments.question or arguments.expects or arguments.answer or arguments.unanswerable:
        raise SettingsError(["--from-feedback finds questions and pages itself; leave out yours."])
    return run_from_feedback(settings, arguments.to, as_json=arguments.json)
