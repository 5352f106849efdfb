"""Several sources at once: each in step or with a reason, and none in another's way."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from handlers.__main__ import main
from handlers.runtime.commands import sync_sources
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.sources import declared_sources, document_sources, kinds
from handlers.runtime.upkeep import FAILED, sync_in_time
from index.errors import CatalogInvalid
from index.sources.catalog import read_catalog

MODELS = Path(__file__).resolve().parents[3] / "build" / "models"
CATALOG = """
[[source]]
name = "wiki"
kind = "folder"
readers = ["everyone"]
path = "wiki"

[[source]]
name = "archive"
kind = "folder"
readers = ["slack-user:U1"]
path = "archive"
"""


def settings_of(home: Path, **more: str) -> Settings:
    return Settings.load(environment(home) | more)


def environment(home: Path) -> dict[str, str]:
    return {
        "FOOTNOTE_HOME": str(home / "home"),
        "FOOTNOTE_SOURCES": str(home / "sources.toml"),
        "FOOTNOTE_MODELS": str(MODELS),
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "sources.toml").write_text(CATALOG, "utf-8")
    for name in ("wiki", "archive"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.md").write_text(f"# {name}\n\nAbout the {name}.\n", "utf-8")
    return tmp_path


def states(capsys: pytest.CaptureFixture[str], code: int) -> Mapping[str, bool]:
    assert main(["sources", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    return {one["name"]: one["in_step"] for one in told["sources"]}


async def test_a_source_that_fails_is_named_and_leaves_the_others_in_step(home: Path) -> None:
    (home / "archive").rename(home / "away")
    first = await sync_in_time(settings_of(home), seconds=60)
    assert (first["complete"], first["reason"]) == (False, FAILED)
    assert "archive" in first["failed"]["archive"]
    assert [one["source"] for one in first["sources"]] == ["wiki"]
    (home / "away").rename(home / "archive")
    done = await sync_sources(settings_of(home), quiet=True)
    # The one that was tried longest ago goes first.
    assert [one.source for one in done] == ["wiki", "archive"]
    assert all(one.report is not None for one in done)


async def test_a_source_that_is_declared_no_more_is_removed_once_that_is_confirmed(
    home: Path,
) -> None:
    await sync_sources(settings_of(home), quiet=True)
    (home / "sources.toml").write_text(CATALOG[: CATALOG.index('[[source]]\nname = "archive"')])
    wiki, archive = await sync_sources(settings_of(home), quiet=True)
    assert wiki.report is not None and archive.report is None
    assert "1 of its documents" in archive.reason and "--confirm-deletion" in archive.reason
    for confirm in (True, False):
        (wiki,) = await sync_sources(settings_of(home), confirm_deletion=confirm, quiet=True)
        assert wiki.report is not None


def test_the_health_of_each_source_outlives_the_sync(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    assert states(capsys, 1) == {"wiki": False, "archive": False}
    (home / "archive" / "photo.docx").write_bytes(b"no document")
    assert main(["sync"]) == 0
    assert "archive: 1 added" in capsys.readouterr().out
    assert states(capsys, 0) == {"wiki": True, "archive": True}
    assert main(["sources"]) == 0
    shown = capsys.readouterr().out
    assert "skipped photo.docx" in shown and "just now" in shown
    (home / "wiki").rename(home / "gone")
    assert main(["sync"]) == 1
    assert "wiki" in capsys.readouterr().err
    assert states(capsys, 1) == {"wiki": False, "archive": True}
    assert main(["sources"]) == 1
    assert "does not exist" in capsys.readouterr().out


def test_a_source_that_left_the_catalog_is_shown_until_its_documents_are_gone(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    assert main(["sync"]) == 0
    (home / "sources.toml").write_text(CATALOG[: CATALOG.index('[[source]]\nname = "archive"')])
    capsys.readouterr()
    assert states(capsys, 1) == {"wiki": True, "archive": False}
    assert main(["sources"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "NOT DECLARED" in shown and "1 of its documents are still found" in shown
    assert main(["sync"]) == 1
    capsys.readouterr()
    assert states(capsys, 1) == {"wiki": True, "archive": False}
    assert main(["sync", "--confirm-deletion"]) == 0
    capsys.readouterr()
    assert states(capsys, 0) == {"wiki": True}


def test_the_folder_of_documents_comes_first_and_its_name_is_taken(home: Path) -> None:
    docs = str(home / "wiki")
    names = [one.name for one in declared_sources(settings_of(home, FOOTNOTE_DOCS=docs))]
    assert names == ["files", "wiki", "archive"]
    catalog = CATALOG.replace('"wiki"', '"files"', 1)
    (home / "sources.toml").write_text(catalog, "utf-8")
    with pytest.raises(CatalogInvalid, match="FOOTNOTE_DOCS"):
        declared_sources(settings_of(home, FOOTNOTE_DOCS=docs))


def test_a_catalog_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FOOTNOTE_SOURCES"):
        declared_sources(settings_of(tmp_path))


def test_sources_are_made_without_touching_anything(home: Path) -> None:
    assert [one.name for one in document_sources(settings_of(home))] == ["wiki", "archive"]
    assert not (home / "home" / "sources").exists()


def test_the_examples_in_the_catalog_can_be_used_as_they_stand() -> None:
    text = (Path(__file__).resolve().parents[3] / "infra" / "sources.toml").read_text("utf-8")
    assert read_catalog(text, {}) == ()
    examples = text[text.index("# [[source]]") :].splitlines()
    uncommented = "\n".join(line.removeprefix("# ").removeprefix("#") for line in examples)
    known = kinds(Settings.load({}))
    assert {one.kind for one in read_catalog(uncommented, known)} == set(known)


def test_every_kind_can_be_declared(home: Path) -> None:
    catalog = """
    [[source]]
    name = "a"
    kind = "web"
    readers = ["everyone"]
    start = "https://docs.example.com/"

    [[source]]
    name = "b"
    kind = "git"
    readers = ["slack-group:S1"]
    url = "https://github.com/example/example"
    token = "git"

    [[source]]
    name = "c"
    kind = "s3"
    readers = ["domain:example.com"]
    bucket = "papers"
    prefix = "public/"

    [[source]]
    name = "d"
    kind = "slack"
    channels = ["C0123ABCD"]
    """
    (home / "sources.toml").write_text(catalog, "utf-8")
    given = {"SLACK_BOT_TOKEN": "xoxb-1-2", "FOOTNOTE_SOURCE_SECRETS": "git=abc"}
    sources = document_sources(settings_of(home, **given))
    assert [one.name for one in sources] == ["a", "b", "c", "d"]
    for missing in given:
        left = {name: value for name, value in given.items() if name != missing}
        with pytest.raises(CatalogInvalid, match=missing):
            document_sources(settings_of(home, **left))
