"""Work out what size costs, and write the tables into infra/SCALE.md: `python -m infra.scale`.

What was measured, and what is assumed where it cannot be, stands in ``FACTS``; prices are those of
costs.py. Change a number and run it again. Everything is reckoned for one table with one writer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra import costs

PAGE = Path(__file__).resolve().parent / "SCALE.md"
SIZES = (10_000, 1_000_000, 100_000_000)
WORKERS = (1, 10, 100)
REGION = 1
MOST = 100_000_000_000
"""Chunks beyond which a limit counts as never reached."""


@dataclass(frozen=True)
class Fact:
    """A number that the sum rests on. ``measured`` names the program, empty for an assumption.

    ``quiet`` tells whether that was on a machine with nothing else to do; if not, the number is to
    be measured again.
    """

    value: float
    meaning: str
    measured: str = ""
    quiet: bool = False


_SYNC = "tests/benchmarks/sync_speed.py"
_LOAD = "tests/benchmarks/load.py"
_LARGE = "tests/benchmarks/large.py"
_KEPT = "index/lance_upkeep.py"

FACTS: Mapping[str, Fact] = {
    "embed": Fact(0.01, "worker: seconds of a processor to embed a chunk", _SYNC),
    "prepare": Fact(0.001, "worker: seconds of a processor to fetch, parse and cut a chunk"),
    "slower": Fact(2, "times that a vCPU of Lambda takes as long as the machine that measured"),
    "commit": Fact(0.0007, "writer: seconds to commit a chunk, compaction included", _LOAD),
    "held": Fact(0.5, "writer: seconds more a commit for each million chunks in the table"),
    "commit_chunks": Fact(8_192, "chunks in a commit", "index/sync_committing.py", quiet=True),
    "maintain": Fact(0.000115, "maintain: seconds a chunk when all of it is due", _LARGE),
    "look": Fact(0.000003, "ingest: seconds a chunk of a run that finds nothing new", _LOAD),
    "stored": Fact(5_300, "bytes stored a chunk, with an hour of old versions", _LARGE),
    "writer_mb": Fact(440, "writer: MB of memory while the table is small", _LOAD),
    "writer_bytes": Fact(500, "writer: bytes of memory more a chunk in the table"),
    "kept": Fact(250_000, "chunks up to which answer keeps rows", _KEPT, quiet=True),
    "at_once": Fact(50_000, "those that come before its first search", _KEPT, quiet=True),
    "reader_mb": Fact(430, "answer: MB of memory without any row, model included", _LARGE),
    "kept_bytes": Fact(6_600, "answer: bytes of memory more a chunk that is kept", _LARGE),
    "reader_bytes": Fact(1_000, "answer: bytes of memory more a chunk of a larger table"),
    "kept_rounds": Fact(17, "answer, at once: rounds of requests until the first passages", _LARGE),
    "kept_compute": Fact(0.45, "answer, at once: seconds until then that are no rounds", _LARGE),
    "kept_fetched": Fact(
        2_900, "answer, at once: bytes a chunk that are fetched until then", _LARGE
    ),
    "rounds": Fact(34, "answer, larger table: rounds until the first passages", _LARGE),
    "compute": Fact(2.1, "answer, larger table: seconds until then that are no rounds", _LARGE),
    "fetched": Fact(190, "answer, larger table: bytes a chunk that are fetched until then", _LARGE),
    "warm_kept": Fact(0.125, "answer, kept: seconds of a warm retrieval", _LARGE),
    "warm": Fact(1.9, "answer, larger table: seconds of a warm retrieval", _LARGE),
    "warm_million": Fact(0.2, "answer, larger table: seconds more for each million chunks"),
    "warm_gets": Fact(540, "answer, larger table: GETs a warm question", _LARGE),
    "round": Fact(0.02, "seconds that S3 takes to begin to answer"),
    "bandwidth": Fact(75, "MB a second between S3 and a function"),
    "sync_runs": Fact(720, "ingest: runs a month", "serverless.yml", quiet=True),
    "maintain_runs": Fact(120, "maintain: runs a month", "serverless.yml", quiet=True),
    "maintain_due": Fact(0.1, "maintain: share of all chunks that a run has to do"),
    "function_seconds": Fact(900, "seconds that a function may run", "AWS's manual", quiet=True),
    "function_mb": Fact(
        10_240, "MB of memory that a function may have", "AWS's manual", quiet=True
    ),
    "cold_bearable": Fact(3, "seconds that people may wait for a fresh container's index"),
    "warm_bearable": Fact(1, "seconds that they may wait for a warm one's"),
    "first_bearable": Fact(24, "hours that a first sync may take its writer"),
}


def f(name: str) -> float:
    """Return the value of a fact."""
    return FACTS[name].value


def worker_seconds(chunks: int) -> float:
    """Return the seconds of one vCPU that all workers of a first sync compute together."""
    return chunks * (f("embed") + f("prepare")) * f("slower")


def writer_seconds(chunks: int) -> float:
    """Return how long the one writer of a first sync commits.

    A commit looks for its ids in all that the table holds by then, which is half of it on average.
    """
    commits = chunks / f("commit_chunks")
    held = commits * f("held") * chunks / 2 / 1e6
    return (chunks * f("commit") + held) * f("slower")


def first_sync_hours(chunks: int, workers: int) -> float:
    """Return how long a first sync takes: as long as its workers or its writer, whoever is last."""
    return max(worker_seconds(chunks) / workers, writer_seconds(chunks)) / 3_600


def first_sync_dollars(chunks: int) -> float:
    """Return what a first sync costs; how many workers share it changes nothing."""
    second = costs.PRICES["Lambda, GB-second"][REGION]
    writer_gb = max(costs.f("vcpu_gb"), writer_mb(chunks) / 1_024)
    return second * (
        worker_seconds(chunks) * costs.f("vcpu_gb") + writer_seconds(chunks) * writer_gb
    )


def stored_gb(chunks: int) -> float:
    """Return how much of a bucket the index takes, a week of old versions included."""
    return chunks * f("stored") * costs.f("index_copies") / 1e9


def storage_dollars(chunks: int) -> float:
    """Return what storing it costs a month."""
    return stored_gb(chunks) * costs.PRICES["S3, GB and month"][REGION]


def is_kept(chunks: int) -> bool:
    """Tell whether a function that answers keeps the whole table in memory."""
    return chunks <= f("kept")


def cold_seconds(chunks: int) -> float:
    """Return how long a fresh container takes from the loaded engine to the first passages."""
    prefix = "kept_" if chunks <= f("at_once") else ""
    fetching = chunks * f(f"{prefix}fetched") / 1e6 / f("bandwidth")
    return f(f"{prefix}rounds") * f("round") + f(f"{prefix}compute") * f("slower") + fetching


def warm_seconds(chunks: int) -> float:
    """Return how long a warm retrieval takes."""
    if is_kept(chunks):
        return f("warm_kept") * f("slower")
    return f("warm") + f("warm_million") * chunks / 1e6 * f("slower")


def million_questions_dollars(chunks: int) -> float:
    """Return what S3 takes for the rows of a million warm questions."""
    gets = 0 if is_kept(chunks) else f("warm_gets") * 1e6
    return gets / 1_000 * costs.PRICES["S3, thousand GET"][REGION]


def maintain_seconds(chunks: int) -> float:
    """Return how long the longest run of maintenance takes: when everything is due."""
    return chunks * f("maintain") * f("slower")


def look_seconds(chunks: int) -> float:
    """Return how long a sync takes that finds nothing new."""
    return chunks * f("look") * f("slower")


def writer_mb(chunks: int) -> float:
    """Return the memory of the writer."""
    return f("writer_mb") + chunks * f("writer_bytes") / 1e6


def reader_mb(chunks: int) -> float:
    """Return the memory of a function that answers."""
    each = f("kept_bytes") if is_kept(chunks) else f("reader_bytes")
    return f("reader_mb") + chunks * each / 1e6


def upkeep_dollars(chunks: int) -> float:
    """Return what looking for changes and maintenance cost a month."""
    gb = max(costs.f("answer_gb"), writer_mb(chunks) / 1_024)
    seconds = f("sync_runs") * look_seconds(chunks)
    seconds += f("maintain_runs") * f("maintain_due") * maintain_seconds(chunks)
    return seconds * gb * costs.PRICES["Lambda, GB-second"][REGION]


@dataclass(frozen=True)
class Limit:
    """Something that ends, how much of it there is, and how much of it a size takes."""

    name: str
    allowed: float
    takes: Callable[[int], float]

    def share(self, chunks: int) -> float:
        """Return how much of what is allowed a size takes; above 1 it does not fit."""
        return self.takes(chunks) / self.allowed

    def reached_at(self) -> int | None:
        """Return the chunks with which it is reached; None if never."""
        low, high = 0, MOST
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.share(middle) < 1 else (low, middle)
        return low if self.share(low) >= 1 else None


LIMITS = (
    Limit("warm question: time", f("warm_bearable"), warm_seconds),
    Limit("question in a fresh container: time", f("cold_bearable"), cold_seconds),
    Limit("answer: memory of the largest function", f("function_mb"), reader_mb),
    Limit("writer: memory of the largest function", f("function_mb"), writer_mb),
    Limit("maintain: longest run of a function", f("function_seconds"), maintain_seconds),
    Limit("ingest, nothing new: longest run of a function", f("function_seconds"), look_seconds),
    Limit("first sync: time of the one writer", f("first_bearable") * 3_600, writer_seconds),
)


def first_limit(chunks: int) -> Limit:
    """Return the limit that a size is nearest to, or furthest beyond."""
    return max(LIMITS, key=lambda one: one.share(chunks))


def sizes_table() -> str:
    """Return time, money and memory at each size as a Markdown table."""
    rows = [(f"first sync, W = {workers}", _first_sync_with(workers)) for workers in WORKERS]
    rows += [
        ("of which the one writer commits", lambda n: _time(writer_seconds(n))),
        ("first sync, dollars", lambda n: _number(first_sync_dollars(n))),
        ("stored, GB", lambda n: _number(stored_gb(n))),
        ("stored, dollars a month", lambda n: _number(storage_dollars(n))),
        ("question in a fresh container, retrieval", lambda n: _time(cold_seconds(n))),
        ("warm question, retrieval", lambda n: _time(warm_seconds(n))),
        ("GETs of a million of these, dollars", lambda n: _number(million_questions_dollars(n))),
        ("sync that finds nothing new", lambda n: _time(look_seconds(n))),
        ("maintenance of all of it", lambda n: _time(maintain_seconds(n))),
        ("both, dollars a month", lambda n: _number(upkeep_dollars(n))),
        ("memory of the writer, MB", lambda n: _number(writer_mb(n))),
        ("memory of answer, MB", lambda n: _number(reader_mb(n))),
        ("**first limit**", lambda n: f"{first_limit(n).name}: {first_limit(n).share(n):,.0%}"),
    ]
    lines = [f"| Chunks | {' | '.join(f'{size:,}' for size in SIZES)} |"]
    lines.append("|---|" + "---:|" * len(SIZES))
    lines += [f"| {name} | {' | '.join(map(cell, SIZES))} |" for name, cell in rows]
    return "\n".join(lines)


def limits_table() -> str:
    """Return how much of each limit each size takes, and where it is reached, as a table."""
    lines = [f"| Share of the limit | {' | '.join(f'{size:,}' for size in SIZES)} | reached at |"]
    lines.append("|---|" + "---:|" * (len(SIZES) + 1))
    for one in sorted(LIMITS, key=lambda one: one.reached_at() or MOST):
        shares = " | ".join(f"{one.share(size):,.0%}" for size in SIZES)
        at = one.reached_at()
        lines.append(f"| {one.name} | {shares} | {f'{_rounded(at):,}' if at else 'never'} |")
    return "\n".join(lines)


def facts_table() -> str:
    """Return the facts as a Markdown table; what is to be measured again says so."""
    lines = ["| Fact | Value | Measured |", "|---|---:|---|"]
    for fact in FACTS.values():
        where = fact.measured or "**assumed**"
        again = ", **to be measured again**" if fact.measured and not fact.quiet else ""
        lines.append(f"| {fact.meaning} | {fact.value:,.6g} | {where}{again} |")
    return "\n".join(lines)


TABLES: Mapping[str, Callable[[], str]] = {
    "sizes": sizes_table,
    "limits": limits_table,
    "facts": facts_table,
}


def with_tables(text: str) -> str:
    """Return the page with its tables worked out anew. Raises ValueError without their marks."""
    return costs.with_tables(text, TABLES, page="SCALE.md")


def _first_sync_with(workers: int) -> Callable[[int], str]:
    return lambda chunks: _time(first_sync_hours(chunks, workers) * 3_600)


def _time(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{_number(seconds / size)} {unit}"
    return f"{_number(seconds)} s"


def _number(value: float) -> str:
    if value >= 10:
        return f"{_rounded(value):,}"
    return f"{value:.2g}" if value >= 0.01 else "under 0.01"


def _rounded(value: float) -> int:
    """Return two digits and zeros: the sum is no more exact than that."""
    return int(float(f"{value:.1e}"))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
