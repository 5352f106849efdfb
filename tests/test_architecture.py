"""The house keeps its shape: every rule holds for this tree, and bites on a broken one."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests import architecture

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {
    "lancedb",
    "numpy",
    "onnxruntime",
    "openai",
    "pyarrow",
    "sentence_transformers",
    "tokenizers",
    "torch",
    "transformers",
}

Rule = Callable[[Path], list[str]]


def assert_kept(rule: Rule) -> None:
    broken = rule(ROOT)
    assert not broken, f"{rule.__doc__}\n  " + "\n  ".join(broken)


def test_bot_and_index_have_never_heard_of_each_other() -> None:
    assert_kept(architecture.two_libraries)


def test_imports_inside_handlers_go_rightwards_only() -> None:
    assert_kept(architecture.rightwards)


def test_each_vendor_is_imported_in_one_place() -> None:
    assert_kept(architecture.vendors_in_their_place)


def test_only_the_settings_read_the_environment() -> None:
    assert_kept(architecture.environment_read_once)


def test_pure_modules_are_pure() -> None:
    assert_kept(architecture.pure_modules)


def test_modules_form_no_cycle() -> None:
    assert_kept(architecture.cycles)


def test_names_say_what_a_thing_is() -> None:
    assert_kept(architecture.plain_names)


def test_files_and_doors_stay_short() -> None:
    assert_kept(architecture.short_files)


def test_tests_use_real_parts_and_all_of_them_run() -> None:
    assert_kept(architecture.real_parts)


def test_nothing_is_left_unfinished() -> None:
    assert_kept(architecture.finished)


def test_doors_are_the_functions_that_are_deployed_and_the_command_line() -> None:
    text = (ROOT / "serverless.yml").read_text(encoding="utf-8")
    deployed = set(yaml.safe_load(text)["functions"])
    # What each function runs in the packaged stack is looked at in tests/infra/test_template.py.
    assert set(re.findall(r"handlers\.(\w+)\.handler", text)) == deployed
    assert architecture.doors(ROOT) == {*deployed, "__main__"}


def test_every_door_has_the_function_that_is_deployed() -> None:
    for name in architecture.doors(ROOT) - {"__main__"}:
        tree = architecture.parse(ROOT / "handlers" / f"{name}.py")
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert "handler" in functions, f"handlers/{name}.py has no function called handler"


@pytest.mark.parametrize("door", ["slack", "reconcile"])
def test_the_doors_of_the_small_zip_load_nothing_heavy(door: str) -> None:
    code = f"import handlers.{door}, sys; print(*{{n.partition('.')[0] for n in sys.modules}})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = HEAVY & set(done.stdout.split())
    assert not loaded, f"importing handlers.{door} loads {', '.join(sorted(loaded))}"


PURE = architecture.PURE[0]
BREACHES: list[tuple[Rule, str, str]] = [
    (architecture.two_libraries, "bot/a.py", "from index import documents"),
    (architecture.two_libraries, "bot/a.py", "def f():\n    import index.documents"),
    (architecture.two_libraries, "index/a.py", "import bot.conversation"),
    (architecture.two_libraries, "index/a.py", "from handlers.work import jobs"),
    (architecture.two_libraries, "index/a.py", "import importlib\nimportlib.import_module('bot')"),
    (architecture.two_libraries, "handlers/a.py", "from tests.doubles import x"),
    (architecture.rightwards, "handlers/work/a.py", "from handlers.answering import b"),
    (architecture.rightwards, "handlers/work/a.py", "from ..runtime import b"),
    (architecture.rightwards, "handlers/answering/a.py", "import handlers.adapters.b"),
    (architecture.rightwards, "handlers/adapters/a.py", "def f():\n  import handlers.runtime.b"),
    (architecture.rightwards, "handlers/runtime/a.py", "from handlers import door"),
    (architecture.rightwards, "handlers/a.py", "import handlers.door"),
    (architecture.rightwards, "handlers/attic/a.py", ""),
    (architecture.vendors_in_their_place, "index/sync.py", "import lancedb"),
    (architecture.vendors_in_their_place, "handlers/answering/a.py", "from openai import X"),
    (architecture.vendors_in_their_place, "handlers/slack.py", "def f():\n    import boto3"),
    (architecture.vendors_in_their_place, "index/a.py", "import botocore.session"),
    (architecture.environment_read_once, "bot/a.py", "import os\nos.environ['A']"),
    (architecture.environment_read_once, "bot/a.py", "from os import getenv"),
    (architecture.pure_modules, PURE, "import random"),
    (architecture.pure_modules, PURE, "import logging"),
    (architecture.pure_modules, PURE, "from urllib.request import urlopen"),
    (architecture.pure_modules, PURE, "async def f(): return 1"),
    (architecture.pure_modules, PURE, "x = open('x')"),
    (architecture.pure_modules, PURE, "from datetime import datetime\nx = datetime.now()"),
    (architecture.pure_modules, PURE, "import index.impure"),
    (architecture.cycles, "index/a.py", "def f():\n    from index import impure"),
    (architecture.cycles, "bot/__init__.py", "from bot.home import x\nfrom bot import taker"),
    (architecture.plain_names, "bot/utils.py", ""),
    (architecture.plain_names, "bot/block_helpers.py", ""),
    (architecture.plain_names, "bot/common/a.py", ""),
    (architecture.plain_names, "bot/a.py", "class SessionManager: ..."),
    (architecture.short_files, "bot/a.py", "x = 1\n" * 301),
    (architecture.short_files, "handlers/a.py", "x = 1\n" * 61),
    (architecture.real_parts, "tests/test_a.py", "from unittest import mock"),
    (architecture.real_parts, "tests/test_a.py", "def test(monkeypatch):\n  monkeypatch.setattr"),
    (architecture.real_parts, "tests/test_a.py", "import pytest\npytest.skip('later')"),
    (architecture.real_parts, "tests/test_a.py", "import pytest\nx = pytest.mark.xfail"),
    (architecture.finished, "bot/a.py", "x = 1  # TO" + "DO: more"),
    (architecture.finished, "bot/a.py", "raise NotImplementedError"),
    (architecture.finished, "bot/a.py", "try:\n  f()\nexcept Exception:\n  pass"),
]


def sound_tree(root: Path) -> Path:
    """A small tree that keeps every rule, in which each breach is one more file."""
    sound = {
        **dict.fromkeys(architecture.PURE, "from dataclasses import dataclass\n"),
        "index/impure.py": "import time\nimport index.a\n",
        "index/a.py": "",
        "index/lance.py": "import lancedb\nimport index.documents\n",
        "bot/__init__.py": "",
        "bot/taker.py": "from bot import Name\n",
        "bot/sibling.py": "from bot import taker\n",
        "handlers/door.py": "from handlers.runtime import b\nimport bot.home, index.lance\n",
        "handlers/runtime/b.py": "import handlers.adapters.b\n",
        "handlers/runtime/settings.py": "import os\nx = os.environ\n",
        "handlers/adapters/b.py": "import boto3\nfrom handlers.answering import b\n",
        "handlers/adapters/openai_model.py": "import openai\n",
        "handlers/answering/b.py": "from handlers.work import b\nimport index.documents\n",
        "handlers/work/b.py": "import time\n",
        "handlers/__main__.py": "x = 1\n" * 200,
        "tests/test_b.py": "def test_b(monkeypatch):\n    monkeypatch.setenv('A', 'b')\n",
    }
    for name, text in sound.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    "rule", sorted({rule for rule, _, _ in BREACHES}, key=lambda r: r.__name__)
)
def test_a_sound_tree_breaks_no_rule(rule: Rule, tmp_path: Path) -> None:
    assert rule(sound_tree(tmp_path)) == []


@pytest.mark.parametrize(("rule", "name", "text"), BREACHES)
def test_a_breach_is_named(rule: Rule, name: str, text: str, tmp_path: Path) -> None:
    path = sound_tree(tmp_path) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert any(name in broken for broken in rule(tmp_path))


def test_a_door_that_is_not_deployed_is_seen(tmp_path: Path) -> None:
    assert architecture.doors(sound_tree(tmp_path)) == {"door", "__main__"}
