"""Sources of every kind in one sync, with real documents: `make soak`.

What is counted is exact, so a document that is lost, doubled or skipped for another reason fails.
"""

import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import pytest

from handlers.answering.quotes import deep_link
from handlers.runtime.commands import sync_sources
from handlers.runtime.settings import Settings
from handlers.runtime.source_health import looked_at
from handlers.runtime.syncing import Synced
from index.documents import ANY_TEXT
from index.sync import SyncReport
from tests.doubles import all_sources
from tests.doubles.all_sources import Places
from tests.doubles.every_format import SAMPLES
from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.doubles.stored_rows import Rows, stored_rows
from tests.doubles.web_sources import place_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]

DOCUMENTS = {"guides": 2_757, "manual": 1_169, "code": 600, "chat": 1_193, "formats": len(SAMPLES)}
COLUMNS = ("doc_id", "fingerprint", "source", "url", "anchor", "text")
CODE_AND_TABLES = {
    "/datatype-numeric.html": "smallint | 2 bytes | small-range integer | -32768 to +32767",
    "/transaction-iso.html": "Serializable | Not possible | Not possible | Not possible",
    "/sql-createtable.html": "CREATE TABLE films (\n    code        char(5) CONSTRAINT firstkey",
    "/queries-with.html": "WITH RECURSIVE t(n) AS (\n    VALUES (1)\n  UNION ALL\n    SELECT n+1",
    "/app-pgdump.html": "$ pg_dump -Fc mydb > db.dump",
}
"""A row of a table, or the beginning of a program, on five pages of the manual."""
NAVIGATION = re.compile(r"\bPrev\b|(?m:^(Up|Home|Next)$|\| (Up|Home|Next)( \||$))")
"""What the bars above and below each page of the manual say, alone in a line or in a row."""


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


@pytest.fixture(scope="module")
def held() -> dict[str, Counter[tuple[str, str]]]:
    """What the index held in each place: source and document -> how many chunks."""
    return {}


@pytest.fixture
async def places(tmp_path: Path) -> AsyncIterator[Places]:
    async with all_sources.served(tmp_path) as served:
        yield served


@pytest.mark.parametrize("place", ["folder", "s3"])
async def test_every_kind_of_source_is_indexed_whole_and_a_second_sync_does_nothing(
    place: str,
    places: Places,
    held: dict[str, Counter[tuple[str, str]]],
    request: pytest.FixtureRequest,
) -> None:
    settings = places.settings()
    if place == "s3":
        settings = places.settings(**on_s3(request.getfixturevalue("storage")))
    first = reports(await sync_sources(settings, quiet=True, known=places.kinds))
    rows = await stored_rows(settings.index, settings.storage_options(), COLUMNS)
    show(place, first, rows)

    assert {name: one.added for name, one in first.items()} == DOCUMENTS
    skipped = {name: dict(reasons(one)) for name, one in first.items() if one.skipped}
    assert skipped == {"formats": places.skipped}
    held[place] = Counter((str(one["source"]), document(one)) for one in rows)
    assert Counter(source for source, _ in held[place]) == DOCUMENTS
    assert sum(one.chunks_embedded + one.chunks_reused for one in first.values()) == len(rows)
    assert all(one == held[place] for one in held.values())
    await assert_sources_are_shown_as_they_are(settings, first)
    assert_the_manual_is_searchable(places, [one for one in rows if one["source"] == "manual"])

    asked = len(places.embeddings.inputs)
    second = reports(await sync_sources(settings, quiet=True, known=places.kinds))
    show(place, second, rows)
    for name, one in second.items():
        assert (one.added, one.changed, one.removed, one.chunks_embedded) == (0, 0, 0, 0), name
        assert one.unchanged == DOCUMENTS[name]
        assert one.skipped == first[name].skipped
    assert await stored_rows(settings.index, settings.storage_options(), COLUMNS) == rows
    assert places.embeddings.inputs[asked:] == [["dimensions"]]


def on_s3(storage: ObjectStorage) -> Mapping[str, str]:
    assert storage.kind == "seaweedfs"
    return {
        "FOOTNOTE_INDEX": storage.new_uri(),
        "AWS_ENDPOINT_URL": storage.storage_options["endpoint"],
        "AWS_ACCESS_KEY_ID": storage.storage_options["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": storage.storage_options["aws_secret_access_key"],
        "AWS_REGION": storage.storage_options["region"],
    }


def reports(done: Sequence[Synced]) -> dict[str, SyncReport]:
    assert {one.source: one.reason for one in done} == dict.fromkeys(DOCUMENTS, "")
    return {one.source: one.report for one in done if one.report is not None}


def reasons(report: SyncReport) -> list[tuple[str, str]]:
    return [(one.location, one.reason) for one in report.skipped]


def document(row: Mapping[str, object]) -> str:
    """Return what a document is called in any run: the website has another port in each."""
    return place_of(str(row["url"])) if row["source"] == "manual" else str(row["doc_id"])


def show(place: str, done: Mapping[str, SyncReport], rows: Rows) -> None:
    """Print what there is, as a table."""
    chunks = Counter(str(one["source"]) for one in rows)
    print(f"\n{place:9}{'documents':>10}{'skipped':>9}{'chunks':>9}{'embedded':>10}{'seconds':>9}")
    for name, one in done.items():
        counts = f"{one.added:10,}{len(one.skipped):9,}{chunks[name]:9,}{one.chunks_embedded:10,}"
        print(f"{name:9}{counts}{one.seconds:9.0f}")
    for name, one in done.items():
        for location, reason in reasons(one):
            print(f"{name}: skipped {location}: {reason}")


async def assert_sources_are_shown_as_they_are(
    settings: Settings, done: Mapping[str, SyncReport]
) -> None:
    for look in await looked_at(settings):
        assert look.in_step and look.health is not None
        assert look.health.documents == DOCUMENTS[look.name]
        assert list(look.health.named) == reasons(done[look.name])


def assert_the_manual_is_searchable(places: Places, rows: Rows) -> None:
    """Navigation is nowhere, code and tables are whole, and links to headings lead to them."""
    for row in rows:
        assert not NAVIGATION.search(str(row["text"])), row["url"]
    for path, words in CODE_AND_TABLES.items():
        assert any(words in str(row["text"]) for row in rows if place_of(str(row["url"])) == path)
    anchored = [row for row in rows if row["anchor"] not in ("", ANY_TEXT)]
    for row in random.Random(20).sample(anchored, 20):
        url, _, fragment = deep_link(str(row["url"]), str(row["anchor"])).partition("#")
        page = places.site.pages[place_of(url)]
        assert isinstance(page, all_sources.Page)
        assert f'id="{unquote(fragment)}"' in page.content.decode(), (url, fragment)
