"""`footnote eval`: asks judged questions, tells how good the answers are, and compares."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from handlers.answering.errors import ModelRefused
from handlers.judging import cases
from handlers.judging.comparison import FORMAT, Comparison, compare, read_report
from handlers.judging.errors import JudgingError
from handlers.judging.judge import AT_ONCE, Judged, judge
from handlers.judging.model_judge import ModelJudge, Opinion
from handlers.judging.questions import Asked, questions_of, sample
from handlers.judging.report import Measured, write_report
from handlers.judging.summary import SetReport, summarised
from handlers.runtime import judged_tables, terminal, wiring
from handlers.runtime.commands import sync_documents
from handlers.runtime.evaluated_recipe import evaluated_recipe
from handlers.runtime.evaluation_desks import desks, model_judges
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.upkeep import maintain_in_time
from index.documents import DocumentRef, fingerprint, stable_id
from index.parsing import DocumentParser
from index.ports import Embedder
from index.sources.judged import JudgedSet
from index.sync import plan, recipe

OK = 0

LOSS = 3
"""Exit code when `--against` finds a real loss; 1 is an error and 2 a wrong setting."""


_COLLECT_AFTER = (50_000, 20, 20)
"""Objects until Python looks for cycles. All that was judged is kept, and looking through it again
and again took a sixth of the time of an evaluation."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What `footnote eval` was asked to do."""

    folders: tuple[Path, ...]
    limit: int | None = None
    last_turn: bool = False
    retrieval_only: bool = False
    judge: bool = False
    html: Path | None = None
    against: Path | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class _Set:
    """One set: its questions, where its documents are, and a hash of both."""

    name: str
    questions: Sequence[Asked]
    content: str
    settings: Settings
    judged: JudgedSet | None = field(default=None, repr=False)
    memory: Path | None = None


@dataclass(frozen=True, slots=True)
class Embedders:
    """Two of one vector space: the light one of a question, and the fast one of many documents."""

    asking: Embedder
    indexing: Embedder


async def run_eval(settings: Settings, asking: Asking) -> int:
    """Measure all sets and tell; the exit code is ``LOSS`` when something was really lost.

    Raises KnowledgeError, JudgingError, SettingsError, OSError.
    """
    _require(settings, asking)
    # A question that waits for its vectors holds a thread.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(AT_ONCE))
    before = read_report(asking.against) if asking.against else None
    sets = [_loaded(settings, folder, asking) for folder in asking.folders]
    doubled = {one.name for one in sets if [other.name for other in sets].count(one.name) > 1}
    if doubled:
        name = min(doubled)
        raise SettingsError([f"Two folders are called {name!r}; rename one to tell them apart."])
    embedders = Embedders(
        await asyncio.to_thread(wiring.query_embedder, settings),
        await asyncio.to_thread(wiring.indexing_embedder, settings),
    )
    reports: list[SetReport] = []
    measured: list[Measured] = []
    opinions: dict[str, Opinion] = {}
    with _rarely_collecting():
        async with model_judges(settings, wanted=asking.judge) as new_judge:
            for one in sets:
                second = new_judge()
                report, judged = await _measure(one, asking, embedders, second)
                reports.append(report)
                measured.append(Measured(report, judged))
                if second is not None:
                    opinions[one.name] = second.opinion
    block = await asyncio.to_thread(_recipe, settings, asking, sets, embedders)
    comparison = compare(before, reports, block) if before else None
    if asking.html is not None:
        write_report(asking.html, measured, block, comparison, opinions)
    _tell(asking, reports, block, comparison, opinions)
    return LOSS if comparison is not None and comparison.losses else OK


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def run_add(settings: Settings, case: cases.Case, folder: Path | None, *, as_json: bool) -> int:
    """`footnote eval add`: write a judged case. Raises CaseRefused."""
    path = cases.add(case, folder or settings.home / "cases")
    if as_json:
        terminal.print_json({"case": path})
    else:
        print(path)
    return OK


def _require(settings: Settings, asking: Asking) -> None:
    problems = []
    if asking.judge and not settings.openai_model:
        problems.append("--judge asks a model: set OPENAI_MODEL.")
    if asking.judge and asking.retrieval_only:
        problems.append("--judge judges answers, and --retrieval-only asks for none.")
    if asking.limit is not None and asking.limit < 1:
        problems.append("--limit must be at least 1.")
    if asking.html is not None and (asking.html.is_dir() or not asking.html.parent.is_dir()):
        problems.append(f"--html is {asking.html}; name a file in a folder that is there.")
    if problems:
        raise SettingsError(problems)


def _loaded(settings: Settings, folder: Path, asking: Asking) -> _Set:
    name = folder.resolve().name
    if cases.holds_cases(folder):
        questions, content = cases.load(folder)
        if waiting := cases.drafts(folder):
            terminal.tell(f"{name}: not asked are drafts, {waiting} of them; {cases.CONFIRM}.")
        return _Set(name, _asked(questions, asking), content, settings)
    judged = JudgedSet.load(folder)
    place = settings.home / "eval" / f"{judged.name}-{stable_id(str(folder.resolve()))[:8]}"
    own = settings.replaced(index=str(place))
    asked = _asked(questions_of(judged, last_turn=asking.last_turn), asking)
    return _Set(name, asked, judged.content, own, judged, place.with_suffix(".npz"))


def _asked(questions: Sequence[Asked], asking: Asking) -> list[Asked]:
    """Return the questions to ask; of one that is rightly refused, a ranking tells nothing."""
    ranked = [one for one in questions if one.judgements or not asking.retrieval_only]
    return sample(ranked, asking.limit)


async def _measure(
    one: _Set, asking: Asking, embedders: Embedders, second: ModelJudge | None
) -> tuple[SetReport, list[Judged]]:
    embedder = embedders.asking
    if one.judged is not None and not await _in_step(one.settings, one.judged, embedder):
        await sync_documents(one.settings, one.judged.source(), embedders.indexing)
        # Rows that no index covers yet cost each question as much as all the rest of its search.
        await maintain_in_time(one.settings, force=True, seconds=None)

    async def hear(judged: Judged) -> None:
        if second is not None:
            try:
                await second.hear(judged.answer)
            except ModelRefused as error:
                raise JudgingError(f"Without --judge it would go on: {error}") from None

    async with wiring.opened_index(one.settings, embedder) as index:
        await index.warm()
        async with desks(
            one.settings,
            index,
            embedder,
            indexing=embedders.indexing,
            retrieval_only=asking.retrieval_only,
            memory=one.memory,
        ) as desk:
            if one.questions:
                # The first search of a process loads what later ones find loaded.
                await judge(one.questions[:1], lambda n: replace(desk(n), answerer=None))
            with terminal.bar(f"asking {one.name}") as show:
                judged = await judge(one.questions, desk, progress=show, also=hear)
        report = summarised(
            one.name,
            judged,
            documents=len(one.judged.documents) if one.judged else 0,
            chunks=await index.count(),
            index_version=await index.version(),
        )
    return report, judged


async def _in_step(settings: Settings, judged: JudgedSet, embedder: Embedder) -> bool:
    """Tell whether the set is indexed as it is, so that the heavy embedder need not be loaded."""
    made_by = recipe(DocumentParser(), embedder)
    source = judged.source()

    def fingerprint_of(ref: DocumentRef) -> str:
        return fingerprint(ref.version, source.readers, made_by)

    listed = [ref async for ref in source.list()]
    async with wiring.opened_index(settings, embedder) as index:
        known = await index.fingerprints(judged.name)
    todo = plan(listed, known, fingerprint_of=fingerprint_of, confirm_deletion=True)
    return not (todo.added or todo.changed or todo.removed)


def _recipe(
    settings: Settings, asking: Asking, sets: Sequence[_Set], embedders: Embedders
) -> dict[str, object]:
    return evaluated_recipe(
        settings,
        asking=embedders.asking,
        indexing=embedders.indexing,
        run={
            "limit": asking.limit,
            "last turn": asking.last_turn,
            "retrieval only": asking.retrieval_only,
        },
        sets={one.name: {"content": one.content[:12]} for one in sets},
    )


def _tell(
    asking: Asking,
    reports: Sequence[SetReport],
    block: dict[str, object],
    comparison: Comparison | None,
    opinions: dict[str, Opinion],
) -> None:
    if asking.as_json:
        compared = comparison and {
            "figures": comparison.figures,
            "changes": comparison.changes,
            "notes": comparison.notes,
            "losses": [f"{one.set} {one.figure}" for one in comparison.losses],
        }
        terminal.print_json(
            {
                "format": FORMAT,
                "configuration": block,
                "sets": reports,
                "comparison": compared,
                "model_judge": opinions,
            }
        )
        return
    judged_tables.show_sets(reports)
    if opinions:
        judged_tables.show_opinions(opinions)
    if comparison is not None:
        judged_tables.show_comparison(comparison)
    if asking.html is not None:
        terminal.tell(f"The report with its plots is in {asking.html}.")
