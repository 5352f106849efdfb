"""Work out what a month costs, and write the tables into infra/COSTS.md: `python -m infra.costs`.

Everything that can be measured stands in ``FACTS``, everything that AWS sets in ``PRICES``. Change
a number and run it again. Dollars; a month has 30 days.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "COSTS.md"
REGIONS = ("us-east-1", "eu-west-1")
QUESTIONS = (0, 1_000, 100_000, 10_000_000)
_MILLION = 1_000_000


@dataclass(frozen=True)
class Fact:
    """A number that the sum rests on. ``measured`` says where, empty while it is an assumption."""

    value: float
    meaning: str
    measured: str = ""


FACTS: Mapping[str, Fact] = {
    "door_seconds": Fact(0.05, "slack: billed seconds a request, at 1 GB"),
    "door_requests": Fact(1.5, "requests of Slack a question: the question, and some clicks"),
    "answer_seconds": Fact(8.0, "answer: billed seconds a question, mostly waiting for the model"),
    "quote_seconds": Fact(1.0, "the same without a model, when the answer comes as quotes"),
    "answer_gb": Fact(3008 / 1024, "answer, ingest, maintain: memory in GB", "serverless.yml"),
    "batch": Fact(1, "questions that share an invocation of answer", "serverless.yml"),
    "ingest_seconds": Fact(10.0, "ingest: billed seconds a run that finds nothing new"),
    "maintain_seconds": Fact(5.0, "maintain: billed seconds a run that has nothing to do"),
    "reconcile_seconds": Fact(2.0, "reconcile: billed seconds a run, at 0.5 GB"),
    "ingest_runs": Fact(720, "runs a month: every hour", "serverless.yml"),
    "maintain_runs": Fact(120, "runs a month: every 6 hours", "serverless.yml"),
    "reconcile_runs": Fact(21_600, "runs a month: every 2 minutes", "serverless.yml"),
    "writes": Fact(11, "DynamoDB: write units a question: claim, renewals, footnotes, outcome"),
    "reads": Fact(5, "DynamoDB: read units a question, strongly consistent"),
    "messages": Fact(6, "SQS: requests a question: send, receive, hold and hold again, delete"),
    "polls": Fact(
        648_000, "SQS: Lambda's empty looks into the queue a month: 5 pollers, 20 s each"
    ),
    "gets": Fact(10, "S3: GETs a question, index warm", "shared measurements of LanceDB on S3"),
    "lists": Fact(1, "S3: LISTs a question, to see whether there is a newer index"),
    "log_kb": Fact(4.0, "KB of log a question, metrics and access log included"),
    "out_kb": Fact(70.0, "KB that leave AWS a question: to Slack and to the model"),
    "tokens_in": Fact(2_000, "tokens that the model reads a question"),
    "tokens_out": Fact(300, "tokens that the model writes a question"),
    "image_gb": Fact(0.29, "size of the container image in ECR, compressed", "infra/image.py"),
    "index_gb": Fact(0.1, "index of 20,000 passages, with a week of old versions"),
}

# On demand, x86. Not all of them were looked up: COSTS.md says which, and where to do so.
PRICES: Mapping[str, tuple[float, float]] = {
    "Lambda, GB-second": (0.0000166667, 0.0000166667),
    "Lambda, million requests": (0.20, 0.20),
    "HTTP API, million requests": (1.00, 1.11),
    "SQS FIFO, million requests": (0.50, 0.50),
    "DynamoDB, million write units": (0.625, 0.705),
    "DynamoDB, million read units": (0.125, 0.141),
    "S3, thousand PUT or LIST": (0.005, 0.005),
    "S3, thousand GET": (0.0004, 0.0004),
    "S3, GB and month": (0.023, 0.023),
    "ECR, GB and month": (0.10, 0.10),
    "CloudWatch, GB of logs": (0.50, 0.57),
    "CloudWatch, metric and month": (0.30, 0.30),
    "CloudWatch, alarm and month": (0.10, 0.10),
    "Traffic out, GB": (0.09, 0.09),
    "Model, million tokens read": (0.25, 0.25),
    "Model, million tokens written": (2.00, 2.00),
}

# What AWS gives every account each month, without an end.
FREE_GB_SECONDS, FREE_REQUESTS, FREE_MESSAGES = 400_000, _MILLION, _MILLION
FREE_METRICS, FREE_ALARMS, FREE_LOG_GB, FREE_OUT_GB = 10, 10, 5, 100

ALARMS = 12
METRICS_ALWAYS, METRICS_OF_QUESTIONS = 7, 16
"""Metrics are paid by the hours in which they are written: by schedules, and by questions."""

_HOURS_WITH_QUESTIONS = {0: 0.0, 1_000: 0.3, 100_000: 0.9, 10_000_000: 1.0}


def month(
    questions: int, region: int, *, model: bool = True, free: bool = True
) -> dict[str, float]:
    """Return the dollars of a month by service. ``free`` takes off what AWS gives away."""

    def f(name: str) -> float:
        return FACTS[name].value

    def price(name: str) -> float:
        return PRICES[name][region]

    def paid(used: float, given: float) -> float:
        return max(0.0, used - given) if free else used

    runs = {name: f(f"{name}_runs") for name in ("ingest", "maintain", "reconcile")}
    answering = f("answer_seconds") if model else f("quote_seconds")
    door = questions * f("door_requests")
    seconds = (
        door * f("door_seconds")
        + questions / f("batch") * answering * f("answer_gb")
        + runs["ingest"] * f("ingest_seconds") * f("answer_gb")
        + runs["maintain"] * f("maintain_seconds") * f("answer_gb")
        + runs["reconcile"] * f("reconcile_seconds") * 0.5
    )
    calls = door + questions / f("batch") + sum(runs.values())
    messages = f("polls") + questions * f("messages")
    metrics = METRICS_ALWAYS + METRICS_OF_QUESTIONS * _HOURS_WITH_QUESTIONS[questions]
    written = questions * f("writes") + sum(runs.values()) * 2
    read = questions * f("reads") + sum(runs.values()) * 2
    gets = questions * f("gets") + (runs["ingest"] + runs["maintain"]) * 20
    lists = questions * f("lists") + (runs["ingest"] + runs["maintain"]) * 5
    log_gb = (questions * f("log_kb") + sum(runs.values()) * 1.0) / 1e6
    out_gb = questions * f("out_kb") / 1e6
    costs = {
        "Lambda": paid(seconds, FREE_GB_SECONDS) * price("Lambda, GB-second")
        + paid(calls, FREE_REQUESTS) / _MILLION * price("Lambda, million requests"),
        "HTTP API": door / _MILLION * price("HTTP API, million requests"),
        "SQS": paid(messages, FREE_MESSAGES) / _MILLION * price("SQS FIFO, million requests"),
        "DynamoDB": written / _MILLION * price("DynamoDB, million write units")
        + read / _MILLION * price("DynamoDB, million read units"),
        "S3 and ECR": gets / 1_000 * price("S3, thousand GET")
        + lists / 1_000 * price("S3, thousand PUT or LIST")
        + f("index_gb") * price("S3, GB and month")
        + f("image_gb") * price("ECR, GB and month"),
        "CloudWatch": paid(metrics, FREE_METRICS) * price("CloudWatch, metric and month")
        + paid(ALARMS, FREE_ALARMS) * price("CloudWatch, alarm and month")
        + paid(log_gb, FREE_LOG_GB) * price("CloudWatch, GB of logs"),
        "Traffic out": paid(out_gb, FREE_OUT_GB) * price("Traffic out, GB"),
    }
    if model:
        costs["Language model"] = questions * f("tokens_in") / _MILLION * price(
            "Model, million tokens read"
        ) + questions * f("tokens_out") / _MILLION * price("Model, million tokens written")
    return costs


def facts_table() -> str:
    """Return the facts as a Markdown table."""
    lines = ["| Fact | Value | Measured |", "|---|---:|---|"]
    for fact in FACTS.values():
        lines.append(f"| {fact.meaning} | {fact.value:,.10g} | {fact.measured or '**assumed**'} |")
    return "\n".join(lines)


def prices_table() -> str:
    """Return the prices as a Markdown table."""
    lines = [f"| US dollars for one | {' | '.join(REGIONS)} |", "|---|---:|---:|"]
    lines += [f"| {name} | {' | '.join(f'{p:.10g}' for p in at)} |" for name, at in PRICES.items()]
    return "\n".join(lines)


def months_table() -> str:
    """Return a month at each number of questions, by service, as a Markdown table."""
    months = [month(questions, 1) for questions in QUESTIONS]
    heads = ["idle", *(f"{questions:,}" for questions in QUESTIONS[1:])]
    lines = [f"| Questions a month | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for name in months[-1]:
        lines.append(f"| {name} | {' | '.join(_dollars(m[name]) for m in months)} |")

    def total(name: str, of: Callable[[int], Mapping[str, float]]) -> None:
        sums = (_dollars(sum(of(questions).values())) for questions in QUESTIONS)
        lines.append(f"| {name} | {' | '.join(sums)} |")

    total("**All of it, eu-west-1**", lambda q: month(q, 1))
    total("All of it, us-east-1", lambda q: month(q, 0))
    total("With quotes in place of a model", lambda q: month(q, 1, model=False))
    total("Without what AWS gives away", lambda q: month(q, 1, free=False))
    return "\n".join(lines)


TABLES: Mapping[str, Callable[[], str]] = {
    "facts": facts_table,
    "months": months_table,
    "prices": prices_table,
}


def with_tables(text: str) -> str:
    """Return the page with its tables worked out anew. Raises ValueError without their marks."""
    for name, table in TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name}:begin -->\n")
        _, end, after = rest.partition(f"<!-- {name}:end -->")
        if not (begin and end):
            raise ValueError(f"COSTS.md has lost the marks around its table of {name}.")
        text = f"{before}{begin}\n{table()}\n\n{end}{after}"
    return text


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 1_000 else f"{amount:,.0f}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
