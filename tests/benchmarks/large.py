"""A large index on S3 behind 20 ms: the first question, warm ones, and both after many commits.

    python -m tests.benchmarks.large --chunks 200000 --commits 1500 --json
    python -m tests.benchmarks.large --chunks 20000 --commits 50 --rounds

The audience holds all of 50 reader groups. Each first question is asked by a fresh process; a round
is a set of requests that overlap (tests/doubles/request_rounds.py). Prints tables, or with --json
one JSON object; progress goes to standard error.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import machine, show
from tests.benchmarks.large_writer import LargeWriter
from tests.benchmarks.stored import described, stored_bytes
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)
from tests.doubles.request_rounds import Passed, rounds_of, told
from tests.doubles.slow_storage import SlowStorage, slowed

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "build" / "models"
INTERRUPTED = 130

Run = dict[str, Any]


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    asked = arguments().parse_args()
    try:
        with (
            running_object_storage() as storage,
            slowed(storage) as far,
            tempfile.TemporaryDirectory(prefix="footnote-large-") as home,
        ):
            figures = measured(asked, storage, far, Path(home))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    if asked.json:
        json.dump(figures, sys.stdout, indent=2)
        print()
    else:
        about = {name: figures[name] for name in ("chunks", "commits", "cpus", "load")}
        show("large index", {one: figures[one]["told"] for one in ("built", "changed")}, about)
    return 0


def arguments() -> argparse.ArgumentParser:
    """Return what the command line understands."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.large",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--chunks", type=int, default=200_000, metavar="N", help="default: 200000")
    parser.add_argument("--commits", type=int, default=1_500, metavar="N", help="default: 1500")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="fresh processes; 5")
    parser.add_argument("--questions", type=int, default=60, metavar="N", help="warm ones each; 60")
    parser.add_argument("--vectors", choices=["hashing", "packaged"], default="hashing")
    parser.add_argument(
        "--rounds", action="store_true", help="show the requests of a first question"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    return parser


def measured(
    asked: argparse.Namespace, storage: ObjectStorage, far: SlowStorage, home: Path
) -> dict[str, Any]:
    """Build, ask, change, maintain, ask again."""
    uri = storage.new_uri()
    environment = reading(uri, far.storage, home)

    async def written() -> dict[str, Any]:
        writer = LargeWriter(uri, storage, asked.vectors)
        built = await writer.build(asked.chunks)
        # The first of all reads the files of the packages from the disk, and exports the model.
        await asyncio.to_thread(asked_once, asked, environment, far)
        after_build = await asyncio.to_thread(asked_often, asked, environment, far)
        stored = await state(uri, storage)
        print(f"built in {built.seconds:.0f} s: {after_build}", file=sys.stderr, flush=True)
        changing = await writer.change(built, asked.commits)
        scattered = await state(uri, storage)
        began = time.monotonic()
        await writer.index.maintain(force=True)
        maintained = time.monotonic() - began
        await writer.index.erase()
        erased = time.monotonic() - began - maintained
        await writer.index.close()
        after_changes = await asyncio.to_thread(asked_often, asked, environment, far)
        return {
            **machine(),
            "chunks": built.chunks,
            "documents": built.documents,
            "commits": asked.commits,
            "vectors": asked.vectors,
            "build_seconds": round(built.seconds, 1),
            "build_maintain_seconds": round(built.maintaining, 1),
            "built": {"told": after_build, "stored": stored},
            "changing": {**changing, "stored": scattered},
            "maintain_seconds": round(maintained, 1),
            "erase_seconds": round(erased, 1),
            "changed": {"told": after_changes, "stored": await state(uri, storage)},
        }

    return asyncio.run(written())


async def state(uri: str, storage: ObjectStorage) -> dict[str, Any]:
    """Return what is stored now."""
    found = await described(uri, storage.storage_options)
    return {"bytes_stored": await asyncio.to_thread(stored_bytes, uri, storage), **found}


def asked_often(
    asked: argparse.Namespace, environment: dict[str, str], far: SlowStorage
) -> dict[str, float]:
    """Ask in fresh processes, one after the other; return medians, and the worst of some."""
    runs = [asked_once(asked, environment, far) for _ in range(asked.runs)]

    def median(name: str) -> float:
        return round(statistics.median(run[name] for run in runs), 4)

    def worst(name: str) -> float:
        return round(max(run[name] for run in runs), 4)

    return {
        "rounds": median("rounds"),
        "rounds, worst": worst("rounds"),
        "requests": median("requests"),
        "fetched, MB": median("fetched_mb"),
        "cold, s": median("cold"),
        "cold, worst, s": worst("cold"),
        "warming, s": median("warming"),
        "warm p50, s": median("warm_p50"),
        "warm p50, worst, s": worst("warm_p50"),
        "warm p95, s": median("warm_p95"),
        "warm rounds": median("warm_rounds"),
        "warm requests": median("warm_requests"),
        "peak memory, MB": worst("peak_memory_mb"),
    }


def asked_once(asked: argparse.Namespace, environment: dict[str, str], far: SlowStorage) -> Run:
    """Start a process that asks; return what it tells, and what went through the proxy."""
    far.passed()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.large_reader", str(asked.questions)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    run: Run = json.loads(done.stdout.splitlines()[-1])
    passed = far.passed()
    first = [one for one in passed if run["opened_at"] <= one.began <= run["found_at"]]
    later = [one for one in passed if one.began > run["found_at"]]
    rounds = rounds_of(first)
    if asked.rounds:
        print("\n".join(told(rounds)), file=sys.stderr, flush=True)
        print("\n".join(one_question(later, asked.questions)), file=sys.stderr, flush=True)
    return run | {
        "rounds": len(rounds),
        "requests": len(first),
        "fetched_mb": sum(one.size for one in first) / 1e6,
        "warm_rounds": len(rounds_of(later)) / asked.questions,
        "warm_requests": len(later) / asked.questions,
    }


def one_question(later: list[Passed], questions: int) -> list[str]:
    """Return the rounds of about one warm question, the last of all."""
    rounds = rounds_of(later)
    return ["warm:", *told(rounds[-max(1, round(len(rounds) / questions)) :])]


def reading(uri: str, far: ObjectStorage, home: Path) -> dict[str, str]:
    """Return the settings of a process that reads the index through the proxy."""
    return {
        "PATH": os.environ["PATH"],
        "FOOTNOTE_HOME": str(home),
        "FOOTNOTE_MODELS": str(MODELS),
        "FOOTNOTE_INDEX": uri,
        "AWS_ENDPOINT_URL": far.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


if __name__ == "__main__":
    raise SystemExit(main())
