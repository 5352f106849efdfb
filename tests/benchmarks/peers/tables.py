"""The figures as Markdown tables, which people read as they are. Pure."""

from collections.abc import Mapping
from typing import Any


def quality_table(quality: Mapping[str, Any]) -> list[str]:
    """Return nDCG@10 by contender and set, and the macro mean with its 95 % interval."""
    rows: Mapping[str, Mapping[str, tuple[float, float, float]]] = quality["ndcg_at_10"]
    sets = list(quality["questions"])
    ahead: Mapping[str, tuple[float, float, float]] = quality["footnote_ahead"]
    head = ["nDCG@10", *sets, "macro", "Footnote is ahead by"]
    lines = [_line(head), _line(["---"] * len(head))]
    for name, figures in rows.items():
        cells = [_mean(figures[one]) if one in figures else "" for one in sets]
        macro = _interval(figures["macro"]) if len(figures) > len(sets) else ""
        lines.append(_line([name, *cells, macro, _interval(ahead[name]) if name in ahead else ""]))
    counts = [str(quality["questions"][one]) for one in sets]
    lines.append(_line(["questions", *counts, "", ""]))
    return lines


def latency_table(latency: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Return p50 and p95 in milliseconds by contender and size."""
    sizes = list(latency)
    head = ["ms a question", *(f"{int(size):,} chunks, p50 / p95" for size in sizes), "filter"]
    lines = [_line(head), _line(["---"] * len(head))]
    for name in latency[sizes[0]]:
        rows = [latency[size][name] for size in sizes]
        cells = [f"{row['p50_ms']:.1f} / {row['p95_ms']:.1f}" for row in rows]
        lines.append(_line([name, *cells, "readers" if rows[0]["filtered"] else "none"]))
    return lines


def _mean(figure: tuple[float, float, float]) -> str:
    return _short(figure[0])


def _interval(figure: tuple[float, float, float]) -> str:
    mean, low, high = map(_short, figure)
    return f"{mean} ({low} to {high})"


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
