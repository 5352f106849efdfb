"""What every AuditLog promises, checked on SQLite and on DynamoDB over HTTP."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handlers.adapters.aws import make_client
from handlers.adapters.dynamodb_audit import DynamoAudit
from handlers.adapters.sqlite_audit import SqliteAudit
from handlers.tools.audit import MAX_DETAILS_BYTES, AuditEntry, AuditEvent, AuditLog
from handlers.work.errors import StoreUnavailable
from tests.doubles.aws import Aws, client_options, running_aws

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ENTRY = AuditEntry(NOON, "T1:C1:1.0", "T1", "C1", "U1", AuditEvent.ASKED)


@dataclass
class Bench:
    """Two processes' views of one log, and a log that cannot answer."""

    log: AuditLog
    other: AuditLog
    broken: AuditLog


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture(scope="module")
def nowhere() -> Iterator[DynamoDBClient]:
    client = make_client("dynamodb", client_options("http://127.0.0.1:9"))
    yield client
    client.close()


@pytest.fixture(params=["sqlite", "dynamodb"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, aws: Aws, nowhere: DynamoDBClient
) -> AsyncIterator[Bench]:
    if request.param == "dynamodb":
        table = aws.new_audit_table()
        dynamo = [DynamoAudit(table, aws.dynamodb) for _ in range(2)]
        yield Bench(dynamo[0], dynamo[1], DynamoAudit(table, nowhere))
        return
    sqlite = [SqliteAudit(tmp_path / "audit.sqlite") for _ in range(2)]
    (tmp_path / "a-file").write_text("")
    yield Bench(sqlite[0], sqlite[1], SqliteAudit(tmp_path / "a-file" / "audit.sqlite"))
    for log in sqlite:
        await log.close()


async def all_of(
    log: AuditLog, since: datetime = NOON - 9 * DAY, until: datetime = NOON + 9 * DAY
) -> list[AuditEntry]:
    return [entry async for entry in log.read(since, until)]


async def test_an_entry_is_read_back_as_it_was_by_everybody(bench: Bench) -> None:
    details = {"arguments": '{"text":"naïve ☃"}', "half": "\ud83d", "deep": [{"n": 1.5}, None]}
    entry = replace(
        ENTRY, event=AuditEvent.ALLOWED_BY_POLICY, tool="post_message", details=details, id="one"
    )
    await bench.log.append(entry)
    assert await all_of(bench.other) == [entry]


async def test_every_event_can_be_kept(bench: Bench) -> None:
    for number, event in enumerate(AuditEvent):
        await bench.log.append(replace(ENTRY, event=event, at=NOON + timedelta(seconds=number)))
    assert [entry.event for entry in await all_of(bench.other)] == list(AuditEvent)


async def test_entries_come_in_the_order_of_their_times_over_many_days(bench: Bench) -> None:
    times = [NOON + hours * timedelta(hours=7) for hours in (5, 0, 11, 3, 8, 1)]
    for at in times:
        await bench.log.append(replace(ENTRY, at=at))
    assert [entry.at for entry in await all_of(bench.log)] == sorted(times)


async def test_entries_of_one_time_come_in_the_order_in_which_they_were_added(
    bench: Bench,
) -> None:
    for number in range(12):
        await bench.log.append(replace(ENTRY, run=f"run {number}"))
    assert [entry.run for entry in await all_of(bench.log)] == [f"run {n}" for n in range(12)]


async def test_the_beginning_of_a_time_is_read_and_its_end_is_not(bench: Bench) -> None:
    for microseconds in (-1, 0, 1):
        await bench.log.append(replace(ENTRY, at=NOON + timedelta(microseconds=microseconds)))
    before, at, after = (NOON + timedelta(microseconds=n) for n in (-1, 0, 1))
    assert [entry.at for entry in await all_of(bench.log, before, at)] == [before]
    assert [entry.at for entry in await all_of(bench.log, at, after)] == [at]
    assert await all_of(bench.log, after, before) == []


async def test_a_time_of_another_zone_is_the_same_time(bench: Bench) -> None:
    zone = timezone(timedelta(hours=14))
    entry = replace(ENTRY, at=NOON.astimezone(zone))
    await bench.log.append(entry)
    since, until = NOON.astimezone(zone), (NOON + DAY).astimezone(zone)
    assert await all_of(bench.log, since, until) == [entry]


async def test_a_time_without_a_zone_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="time zone"):
        await bench.log.append(replace(ENTRY, at=NOON.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="time zone"):
        await all_of(bench.log, NOON.replace(tzinfo=None))


async def test_the_same_entry_again_adds_nothing_and_changes_nothing(bench: Bench) -> None:
    await bench.log.append(replace(ENTRY, id="one", run="first"))
    await bench.other.append(replace(ENTRY, id="one", run="second"))
    await bench.log.append(replace(ENTRY, id="two"))
    assert [entry.run for entry in await all_of(bench.log)] == ["first", ENTRY.run]


async def test_entries_without_an_id_are_all_kept(bench: Bench) -> None:
    await bench.log.append(ENTRY)
    await bench.other.append(ENTRY)
    assert len(await all_of(bench.log)) == 2


async def test_more_entries_than_one_page_are_all_read(bench: Bench) -> None:
    text = "x" * 60_000
    for number in range(40):
        at = NOON + timedelta(seconds=number)
        await bench.log.append(replace(ENTRY, at=at, details={"text": text, "n": number}))
    found = await all_of(bench.log)
    assert [entry.details["n"] for entry in found] == list(range(40))
    assert all(entry.details["text"] == text for entry in found)


async def test_long_details_are_cut_and_say_so_and_arguments_never_are(bench: Bench) -> None:
    arguments = "é" * 16_000
    details = {"result": ["漢" * 100_000] * 10, "arguments": arguments}
    await bench.log.append(replace(ENTRY, details=details))
    [entry] = await all_of(bench.log)
    assert entry.details["arguments"] == arguments
    assert str(entry.details["result"]).count("(cut)") == 10


async def test_many_long_details_are_cut_until_they_fit(bench: Bench) -> None:
    details = {"results": ["y" * 60_000] * 40}
    await bench.log.append(replace(ENTRY, details=details))
    [entry] = await all_of(bench.log)
    results = entry.details["results"]
    assert isinstance(results, list)
    assert len(results) == 40
    assert MAX_DETAILS_BYTES / 4 < sum(map(len, results)) <= MAX_DETAILS_BYTES


async def test_a_log_that_does_not_answer_says_so_in_a_sentence(bench: Bench) -> None:
    for call in (bench.broken.append(ENTRY), all_of(bench.broken)):
        with pytest.raises(StoreUnavailable) as raised:
            await call
        assert str(raised.value).endswith(".")
