"""index.sources.plugins: real distributions, installed into a folder that is searched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index.errors import CatalogInvalid
from index.ports import Source
from index.sources import contract, files
from index.sources.catalog import Kind, read_catalog
from index.sources.contract import Pages
from index.sources.opening import open_source
from index.sources.plugins import InstalledKinds

Install = Callable[..., None]

MODULE = """
from index.sources.catalog import Kind, Options
from index.sources.files import FolderSource


class ShelfOptions(Options):
    place: str


def made(given, options):
    if options.place == "broken":
        raise OSError("the shelf fell down")
    return FolderSource(given.beside / options.place, name=given.name, readers=given.readers)


KIND = Kind(ShelfOptions, made)
NO_KIND = made
NO_OPTIONS = Kind(dict, made)
"""

SHELF = '[[source]]\nname = "books"\nkind = "shelf"\nreaders = ["everyone"]\nplace = "books"\n'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution as pip would: a module and its dist-info on the search path."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install_one(distribution: str, points: str, module: str = "", text: str = MODULE) -> None:
        info = site / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8"
        )
        (info / "entry_points.txt").write_text(f"[footnote.sources]\n{points}\n", "utf-8")
        if module:
            (site / f"{module}.py").write_text(text, "utf-8")

    return install_one


def kinds() -> InstalledKinds:
    return InstalledKinds({"folder": files.KIND})


def opened(tmp_path: Path, place: str) -> Source:
    (one,) = read_catalog(SHELF.replace('"books"\n', f'"{place}"\n', 2), kinds())
    return open_source(one, kinds(), beside=tmp_path, work=tmp_path / "work", secret=str)


class Shelf:
    """A place for the contract, as a third party would write it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def fill(self, pages: Pages) -> None:
        folder = self.root / "shelf"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in pages.items():
            (folder / name).write_text(text, "utf-8")

    def open(self) -> Source:
        return opened(self.root, "shelf")


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_a_kind_of_another_distribution_is_a_source_like_ours(
    check: contract.Check, install: Install, tmp_path: Path
) -> None:
    install("acme-shelves", "shelf = acme_shelf_sound:KIND", "acme_shelf_sound")
    await check(Shelf(tmp_path))


def test_the_kinds_of_other_distributions_are_named_with_ours(install: Install) -> None:
    install("acme-shelves", "shelf = not_there:KIND")
    assert sorted(kinds()) == ["folder", "shelf"] and len(kinds()) == 2
    with pytest.raises(CatalogInvalid, match="kind must be one of folder, shelf"):
        read_catalog(SHELF.replace("shelf", "rack"), kinds())


@pytest.mark.parametrize(
    ("point", "text", "word"),
    [
        ("acme_absent:KIND", "", "ModuleNotFoundError"),
        ("acme_crash:KIND", "1 / 0", "ZeroDivisionError"),
        ("acme_exit:KIND", "raise SystemExit(3)", "SystemExit"),
        ("acme_syntax:KIND", "def", "SyntaxError"),
        ("acme_empty:KIND", "", "AttributeError"),
        ("acme_none:NO_KIND", MODULE, "is no Kind"),
        ("acme_options:NO_OPTIONS", MODULE, "is no Kind"),
    ],
)
def test_a_kind_that_cannot_be_loaded_is_a_problem_that_names_its_distribution(
    install: Install, point: str, text: str, word: str
) -> None:
    module = point.partition(":")[0]
    install("acme-shelves", f"shelf = {point}", "" if "absent" in module else module, text)
    good = SHELF.replace("shelf", "folder").replace("place", "path").replace("books", "more", 1)
    with pytest.raises(CatalogInvalid) as caught:
        read_catalog(SHELF + good, kinds())
    (problem,) = caught.value.problems
    assert problem.startswith("Source books: ") and "acme-shelves" in problem and word in problem
    assert len(read_catalog(good, kinds())) == 1  # whoever does not use it is not troubled


def test_a_kind_that_two_distributions_offer_is_refused_by_their_names(install: Install) -> None:
    install("acme-shelves", "shelf = a:KIND")
    install("other-shelves", "shelf = b:KIND")
    with pytest.raises(CatalogInvalid, match="acme-shelves and other-shelves"):
        read_catalog(SHELF, kinds())


def test_a_kind_of_ours_cannot_be_taken_over(install: Install) -> None:
    install("acme-shelves", "folder = acme_crash_too:KIND", "acme_crash_too", "1 / 0")
    assert kinds()["folder"] is files.KIND and isinstance(files.KIND, Kind)


def test_options_of_another_distribution_are_checked_like_ours(install: Install) -> None:
    install("acme-shelves", "shelf = acme_shelf_options:KIND", "acme_shelf_options")
    with pytest.raises(CatalogInvalid, match="place: Field required"):
        read_catalog(SHELF.replace("place", "plaice"), kinds())


def test_a_source_that_cannot_be_made_is_a_problem_that_names_it(
    install: Install, tmp_path: Path
) -> None:
    install("acme-shelves", "shelf = acme_shelf_falls:KIND", "acme_shelf_falls")
    with pytest.raises(CatalogInvalid, match=r"'shelf' failed to make it \(OSError: the shelf"):
        opened(tmp_path, "broken")
