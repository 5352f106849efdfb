"""Work out what a month costs, and write the tables into infra/COSTS.md: `python -m infra.costs`.

What was measured, and what is assumed where it cannot be, stands in ``FACTS`` and ``MONTHS``; what
AWS sets in ``PRICES``. Change a number and run it again. Dollars; a month has 30 days.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "COSTS.md"
REGIONS = ("us-east-1", "eu-west-1")
_MILLION = 1_000_000


@dataclass(frozen=True)
class Fact:
    """A number that the sum rests on. ``measured`` says where, empty while it is an assumption."""

    value: float
    meaning: str
    measured: str = ""


_TIMED = "tests/benchmarks/test_functions_under_lambda.py"
_COUNTED = "tests/benchmarks/test_requests_a_question.py"
_STACK = "serverless.yml"
_SWEEPS = "handlers/work/reconciliation.py"

FACTS: Mapping[str, Fact] = {
    "door_requests": Fact(1.5, "requests of Slack a question: the question, and some clicks"),
    "door_seconds": Fact(0.012, "slack: seconds a request", _TIMED),
    "door_fresh": Fact(0.46, "slack: seconds more in a fresh container", _TIMED),
    "answer_seconds": Fact(0.17, "answer: seconds a question, with a model that is quick", _TIMED),
    "quote_seconds": Fact(0.55, "answer: seconds a question that quotes answer", _TIMED),
    "answer_fresh": Fact(2.7, "answer: seconds more in a fresh container", _TIMED),
    "ingest_seconds": Fact(1.7, "ingest: seconds a run that finds nothing new", _TIMED),
    "maintain_seconds": Fact(1.6, "maintain: seconds a run that has nothing to do", _TIMED),
    "reconcile_seconds": Fact(0.015, "reconcile: seconds a run", _TIMED),
    "reconcile_fresh": Fact(0.7, "reconcile: seconds more in a fresh container", _TIMED),
    "reconcile_is_fresh": Fact(0.02, "reconcile: share of runs in a fresh container"),
    "slower": Fact(2, "times that a vCPU of Lambda takes as long as the machine that measured"),
    "vcpu_gb": Fact(1769 / 1024, "memory in GB with which a function has one vCPU", "AWS's manual"),
    "model_seconds": Fact(7, "seconds that answer waits for the model"),
    "slack_seconds": Fact(0.15, "seconds that a function waits for a call of Slack's Web API"),
    "answer_calls": Fact(10, "answer: calls of Slack's Web API a question", _COUNTED),
    "quote_calls": Fact(
        11,
        "the same for a question that quotes answer, and that is looked for privately too",
        _COUNTED,
    ),
    "sweeps": Fact(1 / 3, "reconcile: share of runs that read in Slack", _SWEEPS),
    "conversations": Fact(10, "conversations of the bot, each one call of such a run"),
    "door_gb": Fact(1, "slack: memory in GB", _STACK),
    "reconcile_gb": Fact(0.5, "reconcile: memory in GB", _STACK),
    "answer_gb": Fact(3008 / 1024, "answer, ingest, maintain, prepare: memory in GB", _STACK),
    "batch": Fact(1, "questions that share an invocation of answer", _STACK),
    "ingest_runs": Fact(720, "ingest: runs a month, every hour", _STACK),
    "maintain_runs": Fact(120, "maintain: runs a month, every 6 hours", _STACK),
    "reconcile_runs": Fact(21_600, "reconcile: runs a month, every 2 minutes", _STACK),
    "writes": Fact(11, "DynamoDB: write units a question", _COUNTED),
    "click_reads": Fact(1, "DynamoDB: read units a click", "handlers/work/reception.py"),
    "run_writes": Fact(5, "DynamoDB: write units a run of ingest or maintain", _COUNTED),
    "sweep_writes": Fact(1, "DynamoDB: write units a run of reconcile that reads", _COUNTED),
    "run_reads": Fact(2, "DynamoDB: read units a run of reconcile", _COUNTED),
    "messages": Fact(3, "SQS: requests of slack and answer a question", _COUNTED),
    "deliveries": Fact(2, "SQS: requests of Lambda a question: receive, delete"),
    "polls": Fact(
        648_000, "SQS: Lambda's empty looks into the queue a month: 5 pollers, 20 s each"
    ),
    "gets": Fact(0, "S3: GETs a question in a warm container, up to 250,000 passages", _COUNTED),
    "fresh_gets": Fact(63, "S3: GETs more in a fresh container", _COUNTED),
    "lists": Fact(3, "S3: LISTs a question, to see whether there is a newer index", _COUNTED),
    "fresh_lists": Fact(3, "S3: LISTs more in a fresh container", _COUNTED),
    "ingest_gets": Fact(10, "S3: GETs a run of ingest that finds nothing new", _COUNTED),
    "ingest_lists": Fact(6, "S3: LISTs a run of ingest that finds nothing new", _COUNTED),
    "maintain_gets": Fact(38, "S3: GETs a run of maintain that has nothing to do", _COUNTED),
    "maintain_lists": Fact(17, "S3: LISTs a run of maintain that has nothing to do", _COUNTED),
    "index_gb": Fact(0.12, "index of 20,000 passages in GB", _COUNTED),
    "index_copies": Fact(2, "copies of it that the bucket keeps: now, and a week of old versions"),
    "image_gb": Fact(0.29, "size of the container image in GB, compressed", "infra/image.py"),
    "door_log_kb": Fact(0.5, "slack: KB of log a request, metrics included", _COUNTED),
    "answer_log_kb": Fact(1.3, "answer: KB of log a question, metrics included", _COUNTED),
    "run_log_kb": Fact(0.5, "ingest, maintain, reconcile: KB of log a run, at most", _COUNTED),
    "lambda_log_kb": Fact(0.5, "KB of log that Lambda and the API add to an invocation"),
    "answer_out_kb": Fact(18, "KB that answer sends to Slack and to the model", _COUNTED),
    "quote_out_kb": Fact(4.4, "KB that answer sends to Slack when quotes answer", _COUNTED),
    "prompt_characters": Fact(10_750, "characters that the model reads a question", _COUNTED),
    "characters_a_token": Fact(4, "characters a token"),
    "tokens_out": Fact(300, "tokens that the model writes a question"),
}


@dataclass(frozen=True)
class Month:
    """How questions are spread: what share of them meets a fresh container, and of the hours."""

    fresh: float
    hours: float


MONTHS: Mapping[int, Month] = {
    0: Month(fresh=0, hours=0),
    1_000: Month(fresh=0.9, hours=0.3),
    100_000: Month(fresh=0.2, hours=0.9),
    10_000_000: Month(fresh=0.02, hours=1),
}
"""Months by their number of questions. All of it is assumed."""

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

ALARMS = 14
METRICS_ALWAYS, METRICS_OF_QUESTIONS = 7, 20
"""Metrics are paid by the hours in which they are written: by schedules, and by questions."""


def gb_seconds(questions: int, *, model: bool = True) -> float:
    """Return the GB-seconds that Lambda bills in a month, fresh containers included."""
    fresh, own = MONTHS[questions].fresh, "answer" if model else "quote"

    def computing(seconds: float, gb: float) -> float:
        return gb * seconds * f("slower") * max(1.0, f("vcpu_gb") / gb)

    door = computing(f("door_seconds") + fresh * f("door_fresh"), f("door_gb"))
    waiting = (f("model_seconds") if model else 0) + f(f"{own}_calls") * f("slack_seconds")
    answer = waiting * f("answer_gb") + computing(
        f(f"{own}_seconds") + fresh * f("answer_fresh"), f("answer_gb")
    )
    reconcile = f("reconcile_seconds") + f("reconcile_is_fresh") * f("reconcile_fresh")
    # One call more lists the conversations.
    reading = f("sweeps") * (1 + f("conversations")) * f("slack_seconds")
    return (
        questions * f("door_requests") * door
        + questions / f("batch") * answer
        + f("ingest_runs") * computing(f("ingest_seconds"), f("answer_gb"))
        + f("maintain_runs") * computing(f("maintain_seconds"), f("answer_gb"))
        + f("reconcile_runs")
        * (computing(reconcile, f("reconcile_gb")) + reading * f("reconcile_gb"))
    )


def month(
    questions: int, region: int, *, model: bool = True, free: bool = True
) -> dict[str, float]:
    """Return the dollars of a month by service. ``free`` takes off what AWS gives away."""

    def price(name: str) -> float:
        return PRICES[name][region]

    def paid(used: float, given: float) -> float:
        return max(0.0, used - given) if free else used

    spread, door = MONTHS[questions], questions * f("door_requests")
    tidying, runs = f("ingest_runs") + f("maintain_runs"), f("reconcile_runs")
    calls = door + questions / f("batch") + tidying + runs
    messages = f("polls") + questions * (f("messages") + f("deliveries"))
    metrics = METRICS_ALWAYS + METRICS_OF_QUESTIONS * spread.hours
    written = questions * f("writes") + tidying * f("run_writes")
    written += runs * f("sweeps") * f("sweep_writes")
    read = (door - questions) * f("click_reads") + runs * f("run_reads")
    gets = questions * (f("gets") + spread.fresh * f("fresh_gets"))
    lists = questions * (f("lists") + spread.fresh * f("fresh_lists"))
    for name in ("ingest", "maintain"):
        gets += f(f"{name}_runs") * f(f"{name}_gets")
        lists += f(f"{name}_runs") * f(f"{name}_lists")
    log_kb = door * f("door_log_kb") + questions * f("answer_log_kb")
    log_kb += (tidying + runs) * f("run_log_kb") + calls * f("lambda_log_kb")
    out_gb = questions * f("answer_out_kb" if model else "quote_out_kb") / 1e6
    costs = {
        "Lambda": paid(gb_seconds(questions, model=model), FREE_GB_SECONDS)
        * price("Lambda, GB-second")
        + paid(calls, FREE_REQUESTS) / _MILLION * price("Lambda, million requests"),
        "HTTP API": door / _MILLION * price("HTTP API, million requests"),
        "SQS": paid(messages, FREE_MESSAGES) / _MILLION * price("SQS FIFO, million requests"),
        "DynamoDB": written / _MILLION * price("DynamoDB, million write units")
        + read / _MILLION * price("DynamoDB, million read units"),
        "S3 and ECR": gets / 1_000 * price("S3, thousand GET")
        + lists / 1_000 * price("S3, thousand PUT or LIST")
        + f("index_gb") * f("index_copies") * price("S3, GB and month")
        + f("image_gb") * price("ECR, GB and month"),
        "CloudWatch": paid(metrics, FREE_METRICS) * price("CloudWatch, metric and month")
        + paid(ALARMS, FREE_ALARMS) * price("CloudWatch, alarm and month")
        + paid(log_kb / 1e6, FREE_LOG_GB) * price("CloudWatch, GB of logs"),
        "Traffic out": paid(out_gb, FREE_OUT_GB) * price("Traffic out, GB"),
    }
    if model:
        tokens = f("prompt_characters") / f("characters_a_token")
        costs["Language model"] = (
            questions
            / _MILLION
            * (
                tokens * price("Model, million tokens read")
                + f("tokens_out") * price("Model, million tokens written")
            )
        )
    return costs


def f(name: str) -> float:
    """Return the value of a fact."""
    return FACTS[name].value


def facts_table() -> str:
    """Return the facts as a Markdown table."""
    lines = ["| Fact | Value | Measured |", "|---|---:|---|"]
    for fact in FACTS.values():
        lines.append(f"| {fact.meaning} | {fact.value:,.6g} | {fact.measured or '**assumed**'} |")
    return "\n".join(lines)


def spread_table() -> str:
    """Return how the questions of a month are spread as a Markdown table."""
    lines = ["| Questions a month | in a fresh container | hours with questions |"]
    lines.append("|---:|---:|---:|")
    for questions, spread in MONTHS.items():
        lines.append(f"| {questions:,} | {spread.fresh:.0%} | {spread.hours:.0%} |")
    return "\n".join(lines)


def prices_table() -> str:
    """Return the prices as a Markdown table."""
    lines = [f"| US dollars for one | {' | '.join(REGIONS)} |", "|---|---:|---:|"]
    lines += [f"| {name} | {' | '.join(f'{p:.10g}' for p in at)} |" for name, at in PRICES.items()]
    return "\n".join(lines)


def months_table() -> str:
    """Return a month at each number of questions, by service, as a Markdown table."""
    months = [month(questions, 1) for questions in MONTHS]
    heads = ["idle", *(f"{questions:,}" for questions in [*MONTHS][1:])]
    lines = [f"| Questions a month | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for name in months[-1]:
        lines.append(f"| {name} | {' | '.join(_dollars(m[name]) for m in months)} |")

    def total(name: str, of: Callable[[int], Mapping[str, float]]) -> None:
        sums = (_dollars(sum(of(questions).values())) for questions in MONTHS)
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
    "spread": spread_table,
}


def with_tables(
    text: str, tables: Mapping[str, Callable[[], str]] = TABLES, *, page: str = "COSTS.md"
) -> str:
    """Return a page with its tables worked out anew. Raises ValueError without their marks."""
    for name, table in tables.items():
        before, begin, rest = text.partition(f"<!-- {name}:begin -->\n")
        _, end, after = rest.partition(f"<!-- {name}:end -->")
        if not (begin and end):
            raise ValueError(f"{page} has lost the marks around its table of {name}.")
        text = f"{before}{begin}\n{table()}\n\n{end}{after}"
    return text


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 1_000 else f"{amount:,.0f}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
