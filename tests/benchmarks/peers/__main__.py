"""Footnote beside its peers: quality on the judged sets, and warm latency at two sizes.

    build/peers/bin/python -m tests.benchmarks.peers [--sets clapnq ...] [--sizes 20000 200000]

Prints tables for people, the same as Markdown, and one JSON object last. Vectors and indexes stay
below --folder, so that a second run is quick.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.embedding import OnnxEmbedder, export_onnx
from tests.benchmarks.figures import machine
from tests.benchmarks.peers import latency, quality
from tests.benchmarks.peers.contender import Contender
from tests.benchmarks.peers.corpus import NAMES, ROOT, Judged, load
from tests.benchmarks.peers.footnote_itself import Footnote
from tests.benchmarks.peers.haystack_default import Haystack
from tests.benchmarks.peers.lancedb_default import LanceDefault
from tests.benchmarks.peers.tables import latency_table, quality_table
from tests.benchmarks.peers.words_or_vectors import Bm25s, Chroma, Exact

FOLDER = ROOT / "build" / "peers-data"

Makers = Sequence[Callable[[Judged | None, Path], Contender]]

CONTENDERS: Makers = (
    lambda judged, folder: Footnote(folder / "footnote", judged),
    lambda judged, folder: LanceDefault(folder / "lancedb"),
    lambda judged, folder: Haystack(),
    lambda judged, folder: Bm25s(),
    lambda judged, folder: Chroma(folder / "chroma"),
    lambda judged, folder: Exact(),
)
FOLLOWING: Makers = (lambda judged, folder: Footnote(folder / "footnote", judged, follows=True),)


def main() -> int:
    """Measure what the command line names; return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sets", nargs="*", choices=NAMES, default=NAMES)
    options.add_argument("--sizes", nargs="*", type=int, default=[20_000, 200_000])
    options.add_argument(
        "--judged", type=int, default=300, help="most questions of a set; 0 for none"
    )
    options.add_argument("--questions", type=int, default=200, help="for the latency")
    options.add_argument("--folder", type=Path, default=FOLDER)
    options.add_argument("--keep", action="store_true", help="use the indexes of the last run")
    given = options.parse_args()
    work = given.folder / "indexes"
    if not given.keep:
        shutil.rmtree(work, ignore_errors=True)
    load_before = os.getloadavg()[0]
    vectors = given.folder / "vectors"
    sets = [asyncio.run(load(name, vectors, _embedder)) for name in given.sets]
    report: dict[str, Any] = {**machine(), "load_before": round(load_before, 2)}
    if given.judged:
        report["quality"] = _quality([one.of(given.judged) for one in sets], work)
        print("\n" + "\n".join(quality_table(report["quality"])))
    report["latency"] = {
        str(size): _latency(sets, size, given.questions, work) for size in given.sizes
    }
    if given.sizes:
        print("\n" + "\n".join(latency_table(report["latency"])))
    print(json.dumps({**report, "load_after": round(os.getloadavg()[0], 2)}))
    return 0


def _embedder() -> OnnxEmbedder:
    return OnnxEmbedder(export_onnx(ROOT / "build" / "models" / "all-MiniLM-L6-v2"))


def _quality(sets: Sequence[Judged], work: Path) -> dict[str, object]:
    gains = quality.measured(sets, CONTENDERS, work)
    ours = gains["Footnote"]
    follows = [one for one in sets if any(asked.earlier for asked in one.questions)]
    conversation = quality.measured(follows, FOLLOWING, work)
    return {
        "ndcg_at_10": {
            name: quality.intervals(values) for name, values in {**gains, **conversation}.items()
        },
        "footnote_ahead": {
            name: quality.difference(ours, values)
            for name, values in gains.items()
            if values is not ours
        },
        "questions": {name: len(values) for name, values in ours.items()},
    }


def _latency(
    sets: Sequence[Judged], size: int, count: int, work: Path
) -> dict[str, dict[str, float | bool]]:
    corpus = latency.mixed(sets, size)
    asked = latency.questions(sets, count)
    contenders = [make(None, work / str(size)) for make in CONTENDERS]
    for one in contenders:
        one.build(corpus)
        print(f"latency: {one.name} has {size} chunks", file=sys.stderr, flush=True)
    leaked = {one.name: latency.leaks(one, corpus, asked[:3]) for one in contenders if one.filters}
    taken = latency.in_turns(contenders, asked)
    for one in contenders:
        one.close()
    return {
        one.name: {
            "p50_ms": float(np.percentile(taken[one.name], 50)),
            "p95_ms": float(np.percentile(taken[one.name], 95)),
            "questions": len(taken[one.name]),
            "filtered": one.filters,
            "leaked": leaked.get(one.name, 0),
        }
        for one in contenders
    }


if __name__ == "__main__":
    sys.exit(main())
