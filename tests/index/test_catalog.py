from pathlib import Path

import pytest

from index.audience import EVERYONE, Principal
from index.errors import CatalogInvalid
from index.sources import files, web
from index.sources.catalog import Given, read_catalog

KINDS = {"folder": files.KIND}


def problems_of(text: str) -> str:
    with pytest.raises(CatalogInvalid) as caught:
        read_catalog(text, KINDS)
    return "\n".join(caught.value.problems)


def test_a_declared_folder_becomes_a_source_beside_the_catalog(tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    (declared,) = read_catalog(
        """
        [[source]]
        name = "handbook"
        kind = "folder"
        readers = ["everyone", "slack-user:U1"]
        path = "handbook"
        """,
        KINDS,
    )
    assert declared.readers == {EVERYONE.id, Principal("slack-user", "U1").id}
    given = Given("handbook", declared.readers, tmp_path, tmp_path / "work", lambda name: "")
    source = KINDS[declared.kind].make(given, declared.options)
    assert source.name == "handbook" and source.readers == declared.readers


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = problems_of(
        """
        [[source]]
        name = "Hand Book"
        kind = "folder"
        readers = ["team:x"]
        pth = "docs"

        [[source]]
        name = "wiki"
        kind = "telepathy"
        """
    )
    for word in (
        "Hand Book: name",
        "team:x",
        "path: Field required",
        "pth is nothing",
        "telepathy",
    ):
        assert word.replace("telepathy", "kind must be one of folder") in said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[[source", "no TOML"),
        ("source = 1", "[[source]]"),
        ("sources = []", "'sources' means nothing"),
        ('[[source]]\nname = "a"\nkind = "folder"\npath = "x"', "readers must say"),
        ('[[source]]\nname = "a"\nkind = "folder"\npath = "x"\nreaders = []', "readers must say"),
    ],
)
def test_a_catalog_that_cannot_be_meant_is_refused(text: str, word: str) -> None:
    assert word in problems_of(text)


def test_two_sources_of_one_name_are_refused() -> None:
    entry = '[[source]]\nname = "a"\nkind = "folder"\nreaders = ["everyone"]\npath = "x"\n'
    assert "taken twice" in problems_of(entry * 2)


def test_rules_are_refused_where_one_document_has_several_places() -> None:
    entry = """
    [[source]]
    name = "docs"
    kind = "web"
    readers = ["everyone"]
    start = "https://docs.example.com/"
    [[source.rules]]
    path = "hr/**"
    readers = ["group:hr"]
    """
    with pytest.raises(CatalogInvalid, match="a source of its own"):
        read_catalog(entry, {"web": web.KIND})


def test_a_catalog_without_a_source_declares_none() -> None:
    assert read_catalog("", KINDS) == ()
