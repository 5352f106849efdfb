"""The sample handbook is what its judged questions, the wheel and the README say it is."""

import json
import shutil
import subprocess
import sys
import zipfile
from html import unescape
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HANDBOOK = ROOT / "bot" / "playground" / "handbook"
PACKAGES = ("bot", "handlers", "index")
QUESTIONS = json.loads((ROOT / "tests" / "data" / "handbook_questions.json").read_text("utf-8"))


def pages() -> dict[str, str]:
    """Return every page by its name, with single blanks between its words."""
    found = sorted(path for path in HANDBOOK.rglob("*") if path.is_file())
    return {
        path.relative_to(HANDBOOK).as_posix(): " ".join(unescape(path.read_text("utf-8")).split())
        for path in found
    }


def test_every_expected_answer_stands_on_its_page() -> None:
    turns = chain.from_iterable((pair["first"], pair["then"]) for pair in QUESTIONS["follow_ups"])
    judged = [*QUESTIONS["known"], *turns]
    missing = [turn for turn in judged if turn["answer"] not in pages()[turn["file"]]]
    assert len(judged) >= 15
    assert not missing


def test_pages_are_about_as_long_as_a_real_page() -> None:
    words = {name: len(text.split()) for name, text in pages().items()}
    assert 20 <= len(words) <= 30
    assert {Path(name).suffix for name in words} == {".md", ".html", ".txt"}
    assert not {name: count for name, count in words.items() if not 250 <= count <= 700}


def test_the_wheel_holds_the_handbook_and_every_other_file_that_is_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    options = ["--disable-pip-version-check", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, *options, str(tree)], check=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= packed, f"not in the wheel: {sorted(wanted - packed)}"
    assert not {name for name in packed if name.startswith(("tests/", "infra/"))}
