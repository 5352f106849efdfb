"""The README tells the truth where a machine can check it."""

import re
from pathlib import Path

import yaml

from handlers.__main__ import parser
from handlers.runtime.settings import settings_table
from infra.readme import with_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_table_of_settings_is_up_to_date() -> None:
    assert with_table(README, settings_table()) == README, "run `make readme`"


def test_every_file_that_it_links_to_is_there() -> None:
    links = {link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link}
    assert links
    assert not {link for link in links if not (ROOT / link).exists()}


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"\bfootnote (demo|serve|sync|ask|search|eval|[a-z]+(?=`))", README))
    known = set(re.findall(r"^    (\w+) {2,}", parser().format_help(), re.MULTILINE))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named == known
    assert set(re.findall(r"(?:`|^)make ([\w-]+)", README, re.MULTILINE)) <= targets


def test_it_counts_the_permissions_of_the_manifest_correctly() -> None:
    manifest = yaml.safe_load((ROOT / "infra" / "manifest.yml").read_text("utf-8"))
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert len(scopes) == 14
    assert "fourteen permissions" in README
