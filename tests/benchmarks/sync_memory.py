"""How much memory a first sync takes at growing sizes: it should not grow with the source.

    python -m tests.benchmarks.sync_memory [--documents 1000 5000 20000] [--s3]

Each size is synced in a fresh process (load.py) with an embedder that costs nearly nothing. Prints
one JSON object: for each size the figures of memory, and how much the last takes beside the first.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOLD = (
    "documents",
    "chunks",
    "seconds",
    "memory_mb_before",
    "peak_memory_mb",
    "parser_peak_memory_mb",
    "no_change",
)


def main() -> int:
    """Measure what the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.sync_memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[1_000, 5_000, 20_000])
    parser.add_argument("--s3", action="store_true", help="an S3 server on this machine")
    asked = parser.parse_args()
    try:
        sizes = [measured(documents, s3=asked.s3) for documents in asked.documents]
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    except KeyboardInterrupt:
        return 130
    growth = sizes[-1]["peak_memory_mb"] / sizes[0]["peak_memory_mb"]
    json.dump({"sizes": sizes, "last_to_first": round(growth, 3)}, sys.stdout, indent=2)
    print()
    return 0


def measured(documents: int, *, s3: bool) -> dict[str, Any]:
    """Sync that many documents in a process of their own. Raises CalledProcessError."""
    command = [sys.executable, "-m", "tests.benchmarks.load", "--no-maintenance"]
    command += ["--documents", str(documents), *(["--s3"] if s3 else [])]
    print(f"{documents} documents", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    return {name: told[name] for name in TOLD}


if __name__ == "__main__":
    raise SystemExit(main())
