"""What the doctor says of sources."""

import time
from pathlib import Path

from handlers.runtime import wiring
from handlers.runtime.doctor.findings import Verdict
from handlers.runtime.doctor.source_checks import source_findings
from handlers.runtime.settings import Settings
from handlers.work.syncs import SourceHealth, note_health, note_held

ENTRY = '[[source]]\nname = "wiki"\nkind = "folder"\nreaders = ["everyone"]\npath = "wiki"\n'


def settings_of(home: Path, catalog: str) -> Settings:
    (home / "sources.toml").write_text(catalog, "utf-8")
    return Settings.load(
        {"FOOTNOTE_HOME": str(home), "FOOTNOTE_SOURCES": str(home / "sources.toml")}
    )


async def noted(settings: Settings, health: SourceHealth) -> None:
    async with wiring.opened_store(settings) as store:
        await note_health(store, settings.index, "wiki", health)


async def test_a_catalog_that_cannot_be_used_fails_with_every_problem(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, ENTRY.replace("folder", "fodder").replace("wiki", "W", 1))
    [found] = await source_findings(settings)
    assert found.verdict is Verdict.FAILED
    assert "kind must be one of" in found.found and "lower-case" in found.found


async def test_a_source_is_well_once_it_is_in_step(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, ENTRY)
    [found] = await source_findings(settings)
    assert (found.verdict, found.found) == (Verdict.WARNING, "wiki was never synced")
    await noted(settings, SourceHealth(at=time.time(), reason="The folder is away."))
    [found] = await source_findings(settings)
    assert (found.verdict, found.found) == (Verdict.WARNING, "wiki: The folder is away.")
    await noted(settings, SourceHealth(at=1.0, synced_at=1.0, documents=9, skipped=2))
    [found] = await source_findings(settings)
    assert (found.verdict, "2 documents were skipped" in found.found) == (Verdict.OK, True)


async def test_a_source_that_left_the_catalog_is_named_while_it_is_found(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, ENTRY)
    await noted(settings, SourceHealth(at=1.0, synced_at=1.0, documents=9))
    async with wiring.opened_store(settings) as store:
        await note_held(store, settings.index, {"wiki": 9, "archive": 4})
    [found] = await source_findings(settings)
    assert found.verdict is Verdict.WARNING
    assert found.found.startswith("archive: ") and "4 of its documents" in found.found
    assert "--confirm-deletion" in found.found


async def test_without_a_source_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    [found] = await source_findings(Settings.load({"FOOTNOTE_HOME": str(tmp_path)}))
    assert found.verdict is Verdict.SKIPPED
