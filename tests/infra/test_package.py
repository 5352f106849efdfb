"""The zips hold what the functions need and nothing else, and the same checkout gives the same."""

import dataclasses
import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle
from infra.bundle import BundleError, Target
from infra.package import RUNTIME, check_size, code_zip, slack_zip, write_zip

ROOT = Path(__file__).resolve().parents[2]
HERE = Target()
ON_AWS = Target(RUNTIME)

pytestmark = pytest.mark.timeout(300)

ANSWER_THE_DOOR = """
import json, sys
import handlers.reconcile, handlers.slack
from handlers.adapters.aws import make_client
from handlers.work.seal import Seal

# What the two doors import only when they need it.
for service in ("sqs", "dynamodb", "ssm"):
    make_client(service, {"region_name": "eu-west-1"})
assert Seal("secret").open(Seal("secret").seal("text")) == "text"
for name in list(sys.modules.values()):
    place = getattr(name, "__file__", None) or ""
    assert "site-packages" not in place, place
print(handlers.slack.handler(json.loads(sys.argv[1]), None)["statusCode"])
"""
DECIDE = """
import bot.deciders, handlers.adapters.dynamodb_audit, handlers.tools.desk, handlers.tools.waiting
from handlers.tools.arguments import canonical, checked

schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
print(canonical(checked(schema, '{"n": 1.0}')))
"""
TRACE_NOTHING = """
from handlers.adapters.otel import Tracer
Tracer("http://127.0.0.1:9/").close()
"""
REFUSED = {
    "version": "2.0",
    "headers": {"x-slack-request-timestamp": "1", "x-slack-signature": "v0=0"},
    "requestContext": {"http": {"method": "POST", "path": "/slack/events"}},
    "body": "{}",
    "isBase64Encoded": False,
}
SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "SLACK_BOT_TOKEN": "xoxb-1-2-three",
    "SLACK_SIGNING_SECRET": "0" * 32,
    "FOOTNOTE_QUEUE_URL": "http://127.0.0.1:9/1/answers.fifo",
    "FOOTNOTE_STATE_TABLE": "state",
}


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with slack.zip for this Python, and for Lambda's in slack-aws.zip."""
    folder = tmp_path_factory.mktemp("zips")
    assert slack_zip(folder / "slack.zip", HERE)
    slack_zip(folder / "slack-aws.zip", ON_AWS)
    return folder


@pytest.fixture
def unpacked(zips: Path, tmp_path: Path) -> Path:
    """The zip as Lambda unpacks it: with times of its own."""
    with zipfile.ZipFile(zips / "slack.zip") as zipped:
        zipped.extractall(tmp_path / "task")
    for path in (tmp_path / "task").rglob("*.py"):
        os.utime(path, (1_800_000_000, 1_800_000_000))
    return tmp_path / "task"


def run_in(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code with what lies in a folder, and with nothing of this environment."""
    return subprocess.run(
        [sys.executable, "-S", "-c", code, *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONPATH": str(folder), **SETTINGS},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_slack_zip_is_all_that_its_two_doors_need(unpacked: Path) -> None:
    done = run_in(unpacked, ANSWER_THE_DOOR, json.dumps(REFUSED))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["401"]


def test_the_slack_zip_takes_decisions_about_what_the_agent_proposes(unpacked: Path) -> None:
    done = run_in(unpacked, DECIDE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '{"n":1}'


def test_a_zip_in_which_something_is_missing_would_be_noticed(unpacked: Path) -> None:
    bundle.remove(unpacked, ["yarl"])
    assert "No module named 'yarl'" in run_in(unpacked, ANSWER_THE_DOOR, "{}").stderr


def test_a_zip_with_the_group_otel_sends_traces(tmp_path: Path) -> None:
    slack_zip(tmp_path / "slack.zip", HERE, ["otel"])
    with zipfile.ZipFile(tmp_path / "slack.zip") as zipped:
        zipped.extractall(tmp_path / "task")
    done = run_in(tmp_path / "task", TRACE_NOTHING)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["slack.zip", "slack-aws.zip"])
def test_the_slack_zip_is_small_and_holds_nothing_heavy(zips: Path, name: str) -> None:
    check_size(zips / name)
    with zipfile.ZipFile(zips / name) as zipped:
        held = {entry.partition("/")[0] for entry in zipped.namelist()}
        described = {e.split("/")[2] for e in zipped.namelist() if e.startswith("botocore/data/")}
    assert not held & {"lancedb", "pyarrow", "numpy", "torch", "onnxruntime", "openai", "tests"}
    assert {name for name in described if "." not in name} == {"dynamodb", "sqs", "ssm"}


def test_the_zip_for_aws_holds_libraries_for_the_python_there(zips: Path) -> None:
    with zipfile.ZipFile(zips / "slack-aws.zip") as zipped:
        libraries = [entry for entry in zipped.namelist() if entry.endswith(".so")]
    wanted = f"cpython-{RUNTIME.replace('.', '')}-x86_64-linux-gnu"
    assert len(libraries) > 5
    assert [lib for lib in libraries if wanted not in lib and ".abi3." not in lib] == []


def compiled(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as zipped:
        return {e: zipped.read(e)[:16] for e in zipped.namelist() if e.endswith(".pyc")}


@pytest.mark.parametrize(("name", "target"), [("slack.zip", HERE), ("slack-aws.zip", ON_AWS)])
def test_compiled_files_are_of_the_right_python_and_used_unchecked(
    zips: Path, name: str, target: Target
) -> None:
    program = bundle.interpreter(target.python)
    files = compiled(zips / name)
    if program is None:
        assert files == {}  # better none than those of another Python
        return
    ask = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    magic = subprocess.run([program, "-c", ask], capture_output=True, text=True, check=True)
    assert {head[:4].hex() for head in files.values()} == {magic.stdout.strip()}
    # PEP 552: 1 stands for "a hash of the source", 2 would add "compare it".
    assert {int.from_bytes(head[4:8], "little") for head in files.values()} == {1}
    with zipfile.ZipFile(zips / name) as zipped:
        modules = {e for e in zipped.namelist() if e.endswith(".py")}
    assert {importlib.util.source_from_cache(name) for name in files} == modules


def test_what_is_compiled_is_used_although_lambda_changes_the_times(unpacked: Path) -> None:
    # Whoever read the source now would fail.
    (unpacked / "handlers" / "work" / "jobs.py").write_text("raise SystemExit('compiled again')")
    done = run_in(unpacked, "import handlers.work.jobs as jobs; print(jobs.__file__)")
    assert done.returncode == 0, done.stderr


def test_the_same_checkout_gives_the_same_bytes(zips: Path, tmp_path: Path) -> None:
    slack_zip(tmp_path / "slack.zip", HERE)
    assert (tmp_path / "slack.zip").read_bytes() == (zips / "slack.zip").read_bytes()


def test_the_zip_of_the_stage_local_holds_our_code_alone(tmp_path: Path) -> None:
    code_zip(tmp_path / "code.zip")
    with zipfile.ZipFile(tmp_path / "code.zip") as zipped:
        names = zipped.namelist()
        readable = {entry.external_attr >> 16 & 0o444 for entry in zipped.infolist()}
    assert {name.partition("/")[0] for name in names} == {"bot", "handlers", "index"}
    assert readable == {0o444}
    assert not [name for name in names if name.startswith("bot/playground/")]
    # What is read besides modules: the prompt of the model.
    assert "handlers/answering/answer_prompt.md" in names


def test_a_package_that_is_not_pinned_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "loose-1.5-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as written:
        about = {
            "METADATA": "Metadata-Version: 2.1\nName: loose\nVersion: 1.5\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }
        for name, text in about.items():
            written.writestr(f"loose-1.5.dist-info/{name}", text)
    with pytest.raises(BundleError, match=r"constraints\.txt does not name loose==1\.5"):
        bundle.install(tmp_path / "target", [str(wheel)], HERE)


def test_a_package_that_is_not_to_be_had_is_told_with_its_platform(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"Python 3\.13 on arm64"):
        bundle.install(tmp_path, ["aiohttp==0.0.0"], Target("3.13", "arm64"))


def test_where_there_is_no_such_python_nothing_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert not bundle.compile_code(tmp_path, dataclasses.replace(HERE, python="3.99"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


def test_a_module_that_does_not_compile_ends_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = = 1\n")
    with pytest.raises(BundleError, match="SyntaxError"):
        bundle.compile_code(tmp_path, HERE)


def test_wheels_are_chosen_for_the_system_that_lambda_runs_on() -> None:
    assert Target("3.13").platforms()[0] == "manylinux_2_34_x86_64"
    assert Target("3.11").platforms()[0] == "manylinux_2_26_x86_64"
    assert Target("3.13", "arm64").platforms()[-1] == "manylinux2014_aarch64"


@pytest.mark.parametrize(
    ("limit", "says"),
    [({"largest": 100}, "bytes; 100 are"), ({"largest_unpacked": 999}, "1,000 bytes when it is")],
)
def test_a_zip_that_lambda_would_not_take_is_refused(
    tmp_path: Path, limit: dict[str, int], says: str
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "zeros.txt").write_bytes(bytes(1000))
    write_zip(tmp_path / "code", tmp_path / "a.zip")
    check_size(tmp_path / "a.zip")
    with pytest.raises(BundleError, match=says):
        check_size(tmp_path / "a.zip", **limit)


def packaged(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.package", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_the_command_tells_what_it_made(tmp_path: Path) -> None:
    done = packaged("--code-only", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"code\.zip: \d\.\d MB\n", done.stdout)
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["code.zip"]


def test_a_zip_that_could_not_be_compiled_is_told_to_people_and_programs(tmp_path: Path) -> None:
    python = "3.12" if HERE.python == RUNTIME else RUNTIME
    # No other Python is found there, while pip still finds what it is configured to.
    nowhere = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    for variable, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
        nowhere[variable] = os.environ.get(variable, str(Path.home() / folder))
    done = packaged("--python", python, "--folder", str(tmp_path), "--json", **nowhere)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["slack.zip"]["python"], made["slack.zip"]["compiled"]) == (python, False)
    assert made["code.zip"]["compiled"] is True
    assert f"warning: slack.zip: There is no Python {python}" in done.stderr
    assert compiled(tmp_path / "slack.zip") == {}
