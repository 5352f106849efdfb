"""What `footnote deploy` looks at before it deploys, and what it writes when it is told to."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import boto3
import pytest
import yaml

from handlers.runtime import deploy, deploy_checks
from handlers.runtime.deploy_checks import (
    image_finding,
    parameters_finding,
    values_here,
    zip_finding,
)
from handlers.runtime.doctor.findings import Verdict
from handlers.runtime.settings import Settings
from handlers.runtime.stage import DEFAULT_REGION
from infra.osls import osls
from tests.doubles.aws import Aws, client_options, running_aws

ROOT = Path(__file__).parents[3]
DIGEST = "sha256:" + "5" * 64
IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/footnote@{DIGEST}"
OK, SKIPPED, WARNING, FAILED = Verdict


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


def on_aws(aws: Aws, **more: str) -> Settings:
    return Settings.load(
        {
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        | more
    )


def stored(aws: Aws, path: str) -> dict[str, tuple[str, str]]:
    ssm = boto3.client("ssm", **client_options(aws.endpoint))
    found = ssm.get_parameters_by_path(Path=path, Recursive=True, WithDecryption=True)
    ssm.close()
    return {p["Name"]: (p["Type"], p["Value"]) for p in found["Parameters"]}


@pytest.mark.parametrize(
    ("image", "verdict", "says"),
    [
        (IMAGE, OK, "555555555555"),
        ("", FAILED, "No container image"),
        (IMAGE.replace(DIGEST, "latest"), FAILED, "form"),
        (IMAGE.replace("@", ":"), FAILED, "form"),
        (IMAGE[:-1], FAILED, "form"),
        (IMAGE.upper(), FAILED, "form"),
        (f"docker.io/footnote@{DIGEST}", FAILED, "form"),
        (f"{IMAGE}\n", FAILED, "form"),
        (IMAGE.replace("eu-west-1", "us-east-2"), FAILED, "us-east-2"),
        (IMAGE.replace("5" * 64, "0" * 64), FAILED, "example"),
    ],
)
def test_an_image_is_given_by_digest_in_the_region_of_the_stage(
    image: str, verdict: Verdict, says: str
) -> None:
    finding = image_finding(image, stage="prod", region="eu-west-1")
    assert finding.verdict is verdict
    assert says in finding.found
    assert bool(finding.todo) == (verdict is FAILED)


def test_the_image_that_stands_in_the_template_is_not_taken_for_one() -> None:
    stack = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))
    image = stack["params"]["default"]["image"]
    assert image_finding(image, stage="prod", region="eu-west-1").verdict is FAILED


def test_the_stage_of_the_local_cloud_needs_no_image() -> None:
    assert image_finding("", stage="local", region="us-east-1").verdict is SKIPPED


def test_the_region_without_a_name_is_that_of_the_template() -> None:
    stack = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))
    assert stack["provider"]["region"] == f"${{opt:region, env:AWS_REGION, '{DEFAULT_REGION}'}}"


@pytest.mark.parametrize(
    ("holds", "verdict", "says"),
    [
        (("a.py", "__pycache__/a.cpython-313.pyc"), OK, "is compiled"),
        (("a.py", "_a.cpython-313-x86_64-linux-gnu.so"), WARNING, "Python 3.13 is not on this"),
        (("a.py",), WARNING, "the Python of its functions"),
        ((), FAILED, "cannot be read"),
    ],
)
def test_a_zip_without_compiled_files_is_told_before_it_is_deployed(
    tmp_path: Path, holds: Sequence[str], verdict: Verdict, says: str
) -> None:
    if holds:
        with zipfile.ZipFile(tmp_path / "slack.zip", "w") as written:
            for name in holds:
                written.writestr(name, "")
    finding = zip_finding(tmp_path / "slack.zip")
    assert finding.verdict is verdict
    assert says in finding.found
    assert bool(finding.todo) == (verdict is not OK)


@pytest.mark.parametrize(
    ("there", "here", "verdict", "says"),
    [
        ({"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"}, {}, OK, ""),
        (set(), {}, FAILED, "Set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET"),
        ({"SLACK_BOT_TOKEN"}, {"SLACK_SIGNING_SECRET": "s"}, FAILED, "They are set here"),
        (
            {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"},
            {"OPENAI_MODEL": "m"},
            WARNING,
            "--put-parameters",
        ),
    ],
)
def test_missing_parameters_are_told_by_where_they_can_be_had(
    there: set[str], here: dict[str, str], verdict: Verdict, says: str
) -> None:
    finding = parameters_finding(frozenset(there), here, "/footnote/dev/")
    assert finding.verdict is verdict
    assert says in finding.todo


def test_values_are_taken_from_the_settings_and_empty_ones_are_none() -> None:
    settings = Settings.load(
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "OPENAI_MODEL": "m",
            "OPENAI_BASE_URL": "http://localhost:1/v1",
            "FOOTNOTE_MODEL_PRICE_IN": "0.25",
        }
    )
    assert values_here(settings) == {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "OPENAI_MODEL": "m",
        "OPENAI_BASE_URL": "http://localhost:1/v1",
        "FOOTNOTE_MODEL_PRICE_IN": "0.25",
    }


async def test_missing_parameters_are_written_encrypted_and_those_there_are_kept(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = f"s{uuid.uuid4().hex[:8]}"
    ssm = boto3.client("ssm", **client_options(aws.endpoint))
    ssm.put_parameter(
        Name=f"/footnote/{stage}/SLACK_BOT_TOKEN", Value="xoxb-there", Type="SecureString"
    )
    ssm.close()
    settings = on_aws(aws, SLACK_BOT_TOKEN="xoxb-here", SLACK_SIGNING_SECRET="a-secret-of-slack")
    [credentials, before] = await deploy_checks.aws_findings(settings, stage)
    assert (credentials.verdict, before.verdict) == (OK, FAILED)
    assert "123456789012" in credentials.found

    await deploy.put_parameters(settings, stage)
    assert stored(aws, f"/footnote/{stage}") == {
        f"/footnote/{stage}/SLACK_BOT_TOKEN": ("SecureString", "xoxb-there"),
        f"/footnote/{stage}/SLACK_SIGNING_SECRET": ("SecureString", "a-secret-of-slack"),
    }
    [_, after] = await deploy_checks.aws_findings(settings, stage)
    assert after.verdict is OK
    said = capsys.readouterr()
    assert "SLACK_SIGNING_SECRET" in said.err
    assert "a-secret-of-slack" not in f"{said}{before}{after}"


async def test_more_parameters_than_fit_on_one_page_are_all_seen(aws: Aws) -> None:
    stage = f"s{uuid.uuid4().hex[:8]}"
    ssm = boto3.client("ssm", **client_options(aws.endpoint))
    for number in range(12):
        ssm.put_parameter(Name=f"/footnote/{stage}/P{number}", Value="x", Type="SecureString")
    ssm.close()
    settings = on_aws(aws, SLACK_BOT_TOKEN="xoxb-1", SLACK_SIGNING_SECRET="a-secret")
    await deploy.put_parameters(settings, stage)
    [_, found] = await deploy_checks.aws_findings(on_aws(aws), stage)
    assert (found.verdict, "14" in found.found) == (OK, True)


async def test_aws_out_of_reach_is_told_in_a_sentence_each(aws: Aws) -> None:
    settings = on_aws(aws).replaced(aws_endpoint_url="http://127.0.0.1:9")
    found = await deploy_checks.aws_findings(settings, "dev")
    assert [finding.verdict for finding in found] == [FAILED, FAILED]
    assert all("EndpointConnection" in finding.found for finding in found)


def copied_checkout(folder: Path, *, packages: Sequence[str]) -> Path:
    for package in packages:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


async def test_the_template_is_judged_by_packaging_it(tmp_path: Path) -> None:
    folder = copied_checkout(tmp_path, packages=("bot", "handlers", "index", "infra"))
    shutil.copyfile(ROOT / "serverless.yml", folder / "serverless.yml")
    await asyncio.to_thread(osls)
    (folder / "build").mkdir()
    (folder / "build" / "osls").symlink_to(ROOT / "build" / "osls")
    looking = partial(deploy_checks.template_finding, folder, "local", "us-east-1", "", {})
    good = await looking()
    assert good.verdict is OK, good
    text = (folder / "serverless.yml").read_text("utf-8")
    (folder / "serverless.yml").write_text(text.replace("memorySize: 1024", "memorySize: lots"))
    bad = await looking()
    assert bad.verdict is FAILED
    assert "memorySize" in bad.found


@pytest.mark.parametrize("part", ["--check", "--put-parameters"])
async def test_an_installed_package_says_that_it_takes_a_checkout_and_deploys_nothing(
    aws: Aws, tmp_path: Path, part: str
) -> None:
    copied_checkout(tmp_path, packages=("bot", "handlers", "index"))
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "handlers", "deploy", part, "--json", "--image", IMAGE],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report.get("deployed") is (None if part == "--check" else False)
    checks = {check["check"]: check for check in report["checks"]}
    assert checks["checkout"]["verdict"] == "failed"
    assert "make setup" in checks["checkout"]["todo"]
    assert checks["template"]["verdict"] == checks["zip"]["verdict"] == "skipped"
    assert checks["image"]["verdict"] == "ok"
    assert checks["credentials"]["verdict"] == "ok"
