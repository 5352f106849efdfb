"""`footnote search`: what a question finds, and why. The same search that answers rest on."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from handlers.runtime import terminal, wiring
from handlers.runtime.settings import Settings
from index.audience import Audience

if TYPE_CHECKING:
    from index.explaining import Considered, Explanation
    from index.retrieval import Retrieval

SHOWN = 10
"""Passages of a ranking that are listed without --explain."""

EXPLAINED = 40
"""Rows of an explanation in the terminal; as JSON it is whole."""

SNIPPET = 160

_FATES = {
    "taken": "in the context",
    "surrounding": "beside one of the best",
    "crowded": "left out: enough of this page",
    "too long": "left out: over the budget of characters",
    "below": "left out: below the last passage taken",
}


async def run_search(
    settings: Settings, question: str, *, explain: bool = False, as_json: bool
) -> int:
    """Show what everyone in the workspace would be answered from."""
    embedder = await asyncio.to_thread(wiring.query_embedder, settings)
    async with wiring.opened_index(settings, embedder) as index:
        retriever = wiring.retriever(settings, index, embedder)
        found = await retriever.retrieve(question, Audience.everyone())
    if as_json:
        terminal.print_json(_as_json(question, found, explain=explain))
    elif explain:
        _show_explanation(found.explanation)
    else:
        _show_ranking(found)
    return 0


def _as_json(question: str, found: Retrieval, *, explain: bool) -> dict[str, object]:
    explanation = found.explanation
    result: dict[str, object] = {
        "question": question,
        "searched": explanation.searched,
        "filters": found.filters,
        "index_version": found.index_version,
    }
    rows = explanation.considered()
    if explain:
        earlier = [{"text": text, "weight": weight} for text, weight in explanation.earlier]
        result |= {"earlier": earlier, "reranker": explanation.reranker, "considered": rows}
    else:
        ranked = [row for row in rows if row.rank is not None][:SHOWN]
        names = ("rank", "score", "title", "heading_path", "url", "source", "text")
        result["ranking"] = [{name: getattr(row, name) for name in names} for row in ranked]
    return result


def _show_ranking(found: Retrieval) -> None:
    console = Console(highlight=False)
    _show_filters(console, found.explanation)
    for row in found.explanation.considered()[:SHOWN]:
        if row.rank is not None:
            console.print(Text(f"{row.rank:>2}  {row.score:.3f}  {_where(row)}", style="bold"))
            console.print(Text(f"           {_snippet(row.text)}"))
    if not found.ranking:
        console.print("Nothing was found.")


def _show_explanation(explanation: Explanation) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    _show_filters(console, explanation)
    for text, weight in explanation.earlier:
        console.print(Text(f"earlier turn, weight {weight:.2f}: {_snippet(text)}"))
    if explanation.reranker:
        console.print(Text(f"order of the best by the reranker {explanation.reranker}"))
    table = Table(show_edge=False)
    heads = ["", "score", "cosine", "BM25", "coverage"]
    heads += ["reranker"] if explanation.reranker else []
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("passage", ratio=2)
    table.add_column("what became of it", ratio=1)
    rows = explanation.considered()
    shown = [row for row in rows if row.rank is None or row.rank <= EXPLAINED]
    for row in shown:
        cells = [
            f"{row.rank or ''}",
            f"{row.score:.3f}",
            f"{row.similarity:.3f}",
            f"{row.keyword:.2f}",
            f"{row.coverage:.2f}",
        ]
        if explanation.reranker:
            cells.append("" if row.reranked is None else f"{row.reranked:.2f}")
        passage = Text(_where(row), style="bold").append(
            f"\n{_snippet(row.text)}", style="not bold"
        )
        table.add_row(*cells, passage, Text(_fate(row)))
    console.print(table)
    if len(shown) < len(rows):
        console.print(f"and {len(rows) - len(shown)} more, further down; --json shows all.")


def _show_filters(console: Console, explanation: Explanation) -> None:
    if explanation.filters:
        console.print(Text(f"searched for “{explanation.searched}”", style="yellow"))
    for part in explanation.filters:
        console.print(Text(f"understood: {part}", style="yellow"))


def _fate(row: Considered) -> str:
    if row.fate == "duplicate":
        return f"left out: says the same as {row.like}"
    return _FATES[row.fate]


def _where(row: Considered) -> str:
    # Many pages repeat their title as the first heading.
    return " › ".join(dict.fromkeys(part for part in (row.title, *row.heading_path) if part))


def _snippet(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET else f"{line[: SNIPPET - 1]}…"
