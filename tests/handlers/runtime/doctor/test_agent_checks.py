"""What `footnote doctor` says where agent mode is on."""

from pathlib import Path

import pytest

from handlers.runtime.agents import laptop_agent_queue
from handlers.runtime.doctor import agent_checks
from handlers.runtime.doctor.examination import examine
from handlers.runtime.doctor.findings import Finding, Verdict
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import opened_store
from handlers.tools.offered import GROUP
from handlers.tools.switch import Switch
from handlers.work.deliveries import DELIVERIES
from handlers.work.jobs import AgentJob
from tests.doubles.aws import on_aws, running_aws
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn

OK, SKIPPED, WARNING, FAILED = Verdict


def on(home: Path, **more: str) -> Settings:
    model = {"OPENAI_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    return Settings.load({"FOOTNOTE_HOME": str(home), "FOOTNOTE_AGENT": "ON", **model, **more})


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


async def test_where_agent_mode_is_off_only_that_is_said(tmp_path: Path) -> None:
    settings = Settings.load({"FOOTNOTE_HOME": str(tmp_path)})
    [found] = await examine(agent_checks.agent_checks(settings))
    assert (found.check, found.verdict) == (agent_checks.AGENT, SKIPPED)


async def test_agent_mode_without_a_model_is_failed(tmp_path: Path) -> None:
    settings = Settings.load({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_AGENT": "ON"})
    [found] = await examine(agent_checks.agent_checks(settings))
    assert found.verdict is FAILED
    assert "OPENAI_MODEL" in found.todo


async def test_a_switch_that_somebody_turned_is_pointed_out(tmp_path: Path) -> None:
    settings = on(tmp_path)
    assert verdicts(await agent_checks.mode_findings(settings)) == [OK]
    async with opened_store(settings) as store:
        await Switch(store).stop("me")
    [found] = await agent_checks.mode_findings(settings)
    assert found.verdict is WARNING
    assert "footnote agents start" in found.todo


async def test_steps_that_were_given_up_are_counted(tmp_path: Path) -> None:
    settings = on(tmp_path)
    assert verdicts(await agent_checks.queue_findings(settings)) == [OK]
    queue = laptop_agent_queue(settings)
    await queue.put(AgentJob("T", "C", "U", "1.1", "1.1", "channel"))
    for _ in range(DELIVERIES):
        delivery = await queue.receive()
        assert delivery is not None
        await delivery.release()
    assert await queue.receive() is None
    await queue.close()
    [found] = await agent_checks.queue_findings(settings)
    assert found.verdict is WARNING
    assert "footnote redrive" in found.todo


async def test_on_aws_queue_and_log_are_looked_at_where_they_lie() -> None:
    with running_aws() as aws:
        queue, dead = aws.new_queue_with_dead_letters(DELIVERIES)
        settings = on_aws(aws, FOOTNOTE_AGENT_QUEUE_URL=queue, FOOTNOTE_AGENT_DEAD_LETTERS_URL=dead)
        assert verdicts(await agent_checks.queue_findings(settings)) == [OK]
        other = settings.replaced(agent_queue_url=dead)
        assert verdicts(await agent_checks.queue_findings(other)) == [FAILED]
        nowhere = settings.replaced(audit_table="nowhere")
        assert verdicts(await agent_checks.audit_findings(nowhere)) == [FAILED]


async def test_the_log_can_be_read(tmp_path: Path) -> None:
    assert verdicts(await agent_checks.audit_findings(on(tmp_path))) == [OK]


async def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    assert verdicts(await agent_checks.tool_findings(on(tmp_path))) == [OK]
    (tmp_path / "policy.toml").write_text("[[allow]]\n")
    settings = on(
        tmp_path,
        FOOTNOTE_AGENT_POLICY=str(tmp_path / "policy.toml"),
        FOOTNOTE_WEBHOOKS=str(tmp_path / "absent.toml"),
    )
    [found] = await agent_checks.tool_findings(settings)
    assert found.verdict is FAILED
    assert "FOOTNOTE_AGENT_POLICY" in found.found
    assert "FOOTNOTE_WEBHOOKS" in found.found


async def test_a_tool_that_somebody_installed_and_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "acme_deploys-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-deploys\nVersion: 1.0")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\ndeploys = acme_is_not_here:TOOL")
    monkeypatch.syspath_prepend(str(tmp_path))
    [found] = await agent_checks.tool_findings(on(tmp_path))
    assert found.verdict is WARNING
    assert "'deploys' of the distribution acme-deploys is left out" in found.found


@pytest.mark.parametrize(
    ("turn", "verdict", "says"),
    [
        (Turn(calls=[("say_yes", {})]), OK, "calls tools"),
        (Turn("Yes."), WARNING, "answered in words"),
        (Turn(status=400, message="this model does not support tools"), FAILED, "tools"),
    ],
)
async def test_a_model_that_calls_no_tools_is_found_out(
    turn: Turn, verdict: Verdict, says: str, tmp_path: Path
) -> None:
    def decide(asked: Asked) -> Turn:
        return turn

    async with ScriptedAgent(decide) as server:
        settings = on(tmp_path, OPENAI_BASE_URL=server.base_url)
        [found] = await agent_checks.model_findings(settings)
    assert found.verdict is verdict
    assert says in found.found
