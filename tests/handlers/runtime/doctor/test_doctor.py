"""`footnote doctor` as a whole: its report, its exit code, and that it keeps secrets."""

import json
from pathlib import Path

import pytest

from bot.playground import Playground
from handlers.runtime.doctor.command import run_doctor
from handlers.runtime.doctor.findings import failed, ok, warning
from handlers.runtime.doctor.report import exit_code, show
from handlers.runtime.settings import Settings, SettingsError
from index.lance import LanceIndex
from index.weights import PUBLISHED_DIMENSIONS, PUBLISHED_NAME
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

SECRETS = ("xoxb-1-secret", "xapp-1-secret", "the-signing-secret")
CHECKS = [
    "settings",
    "Slack token",
    "Slack permissions",
    "Slack channels",
    "Socket Mode",
    "Slack events",
    "clock",
    "index",
    "sources",
    "S3 rights",
    "queue",
    "dead letters",
    "state store",
    "model",
    "time for an answer",
    "model price",
    "agent mode",
]


async def filled(settings: Settings) -> None:
    index = LanceIndex(settings.index, embedder=PUBLISHED_NAME, dimensions=PUBLISHED_DIMENSIONS)
    await index.stage([entry(HashingEmbedder(PUBLISHED_DIMENSIONS), "a.md", "Tea at four.")])
    await index.commit()
    await index.close()


async def examined(settings: Settings | SettingsError, *, as_json: bool = True) -> int:
    return await run_doctor(settings, stage="", region="", events_url="", as_json=as_json)


def settings_for(slack: Playground, home: Path) -> Settings:
    return Settings.load(
        {
            "SLACK_BOT_TOKEN": SECRETS[0],
            "SLACK_APP_TOKEN": SECRETS[1],
            "SLACK_SIGNING_SECRET": SECRETS[2],
            "SLACK_API_URL": slack.api_url,
            "FOOTNOTE_HOME": str(home),
        }
    )


@pytest.mark.parametrize("as_json", [True, False])
async def test_an_installation_that_is_well_passes_and_one_that_is_not_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    async with Playground(
        signing_secret=SECRETS[2], bot_token=SECRETS[0], app_token=SECRETS[1]
    ) as slack:
        settings = settings_for(slack, tmp_path)
        await filled(settings)
        assert await examined(settings, as_json=as_json) == 0
        well = capsys.readouterr()
        slack.fail_next("auth.test", "token_revoked", times=5)
        assert await examined(settings, as_json=as_json) == 1
        ill = capsys.readouterr()
    if as_json:
        report = json.loads(well.out)
        assert [check["check"] for check in report["checks"]] == CHECKS
        assert report["verdict"] == "ok"
        assert json.loads(ill.out)["verdict"] == "failed"
    else:
        assert all(check in well.out for check in CHECKS)
        assert "→" in ill.out
    # One broken check hides no other.
    assert "1 document in 1 passage" in ill.out
    assert not any(secret in f"{well}{ill}" for secret in SECRETS)


async def test_settings_that_cannot_be_read_are_a_finding(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = SettingsError(["FOOTNOTE_PORT is not a whole number.", "AWS_REGION is not set."])
    assert await examined(error) == 1
    [finding] = json.loads(capsys.readouterr().out)["checks"]
    assert finding["check"] == "settings"
    assert "FOOTNOTE_PORT" in finding["found"]
    assert "AWS_REGION" in finding["found"]


def test_a_warning_does_not_fail_a_script() -> None:
    assert exit_code([ok("a", "Well."), warning("b", "Hm.", "Look.")]) == 0
    assert exit_code([ok("a", "Well."), failed("b", "No.", "Act.")]) == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_what_looks_like_a_token_is_blanked_out_wherever_it_came_from(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    leak = failed("a", "It said xoxb-12-34-abc.", "Not sk-abcdefghijkl.")
    show([leak], as_json=as_json, more={})
    out = capsys.readouterr().out
    assert "[secret]" in out
    assert "xoxb-12" not in out
    assert "sk-abc" not in out
