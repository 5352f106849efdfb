"""`footnote redrive`: what was given up is answered after all, once."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from handlers.adapters.dynamodb import DynamoStore
from handlers.adapters.sqs import SqsQueue
from handlers.answering.delivering import deliver
from handlers.runtime import wiring
from handlers.runtime.redrive import redrive_laptop, redrive_sqs, run_redrive
from handlers.runtime.settings import Settings, SettingsError
from handlers.work.deliveries import DELIVERIES, TRIES
from handlers.work.jobs import AgentJob, AnswerJob, decode, encode, opaque
from tests.doubles.answer_desk import SAID, Desk, opened_desk
from tests.doubles.aws import Aws, on_aws, running_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@dataclass
class Cloud:
    """The queues and the table of a deployment, and settings that name them."""

    aws: Aws
    settings: Settings

    def bury(self, job: AnswerJob | AgentJob) -> None:
        self.bury_body(encode(job), opaque(job.group), opaque(job.key))

    def bury_body(self, body: str, group: str, identity: str) -> None:
        self.aws.sqs.send_message(
            QueueUrl=self.settings.dead_letters_url,
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=identity,
        )

    def waiting(self) -> list[str]:
        return [r["body"] for r in self.aws.lambda_records(self.settings.queue_url)]


@pytest.fixture
def cloud(aws: Aws) -> Cloud:
    settings = on_aws(
        aws,
        FOOTNOTE_QUEUE_URL=aws.new_queue(),
        FOOTNOTE_DEAD_LETTERS_URL=aws.new_queue(),
        FOOTNOTE_STATE_TABLE=aws.new_table(),
    )
    return Cloud(aws, settings)


def question(ts: str = "1.1") -> AnswerJob:
    return AnswerJob("T", "C", "U", ts, ts, place="channel")


async def run(settings: Settings, *, dry_run: bool = False) -> int:
    return await run_redrive(settings, stage="", region="", dry_run=dry_run, as_json=True)


async def given_up(settings: Settings, *jobs: AnswerJob) -> None:
    """Use up all deliveries of these jobs on the laptop."""
    queue = wiring.laptop_queue(settings)
    for job in jobs:
        await queue.put(job)
    for _ in range(DELIVERIES * len(jobs)):
        delivery = await queue.receive()
        assert delivery is not None
        await delivery.release()
    assert await queue.receive() is None
    await queue.close()


async def test_on_a_laptop_dead_jobs_come_again_with_all_their_tries(tmp_path: Path) -> None:
    settings = Settings.load({"FOOTNOTE_HOME": str(tmp_path)})
    await given_up(settings, question("1.1"), question("2.1"))
    assert (await redrive_laptop(settings, dry_run=True)).moved == 0
    redriven = await redrive_laptop(settings)
    assert (redriven.found, redriven.moved, redriven.left) == (2, 2, 0)
    queue = wiring.laptop_queue(settings)
    deliveries = [await queue.receive(), await queue.receive()]
    await queue.close()
    assert [(d.job.key, d.attempts) for d in deliveries if d] == [
        (question("1.1").key, 1),
        (question("2.1").key, 1),
    ]
    rounds = [d.job.round for d in deliveries if d and isinstance(d.job, AnswerJob)]
    assert len(rounds) == 2 and all(rounds)


async def test_on_aws_dead_letters_go_back_to_the_queue(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [question("1.1"), question("2.1")]
    for job in jobs:
        cloud.bury(job)
    assert await run(cloud.settings, dry_run=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["found"], told["moved"], told["left"]) == (2, 0, 2)
    assert cloud.waiting() == []

    assert await run(cloud.settings) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["found"], told["moved"], told["left"]) == (2, 2, 0)
    back = [decode(body) for body in cloud.waiting()]
    assert sorted(job.key for job in back) == sorted(job.key for job in jobs)
    assert all(isinstance(job, AnswerJob) and job.round for job in back)
    # Trying out must not leave claims behind that nobody holds.
    assert cloud.aws.dynamodb.scan(TableName=cloud.settings.state_table)["Count"] == 0


async def test_steps_of_the_agent_go_back_to_its_own_queue(cloud: Cloud, aws: Aws) -> None:
    settings = cloud.settings.replaced(
        agent_queue_url=aws.new_queue(), agent_dead_letters_url=aws.new_queue()
    )
    step = AgentJob("T", "C", "U", "1.1", "1.1", "channel", step="decided:a")
    cloud.bury(question())
    Cloud(aws, settings.replaced(dead_letters_url=settings.agent_dead_letters_url)).bury(step)
    redriven = await redrive_sqs(settings)
    assert (redriven.found, redriven.moved, redriven.left) == (2, 2, 0)
    [body] = Cloud(aws, settings.replaced(queue_url=settings.agent_queue_url)).waiting()
    back = decode(body)
    assert isinstance(back, AgentJob)
    assert (back.key, bool(back.round)) == (step.key, True)
    assert [type(decode(one)) for one in cloud.waiting()] == [AnswerJob]


async def test_what_no_version_understands_is_moved_all_the_same(cloud: Cloud) -> None:
    cloud.bury_body('{"kind": "of tomorrow"}', "g", "d")
    assert (await redrive_sqs(cloud.settings)).moved == 1
    assert cloud.waiting() == ['{"kind": "of tomorrow"}']


async def test_an_end_before_all_are_moved_is_told_with_what_was_done(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.bury(question())
    nowhere = f"{cloud.aws.endpoint}/123456789012/nowhere.fifo"
    assert await run(cloud.settings.replaced(queue_url=nowhere)) == 1
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert (told["moved"], told["left"]) == (0, 1)
    assert told["error"] in captured.err
    assert "Traceback" not in captured.err


async def test_without_the_queue_of_dead_letters_its_setting_is_named(cloud: Cloud) -> None:
    with pytest.raises(SettingsError, match="FOOTNOTE_DEAD_LETTERS_URL"):
        await run(cloud.settings.replaced(dead_letters_url=""))


@pytest.fixture
async def desk(cloud: Cloud, tmp_path: Path) -> AsyncIterator[Desk]:
    store = DynamoStore(cloud.settings.state_table, cloud.aws.dynamodb)
    async with opened_desk(tmp_path, store) as opened:
        yield opened


@pytest.mark.parametrize("tries", [1, TRIES])
async def test_a_question_that_was_given_up_is_answered_once_after_a_redrive(
    cloud: Cloud, desk: Desk, tries: int
) -> None:
    desk.answerer.troubles = [RuntimeError("a defect")] * tries
    for _ in range(tries):
        with pytest.raises(RuntimeError):
            await desk.worker.handle(desk.job)
    assert desk.said() == []
    # SQS lays it aside, the defect is mended, and somebody calls `footnote redrive` twice.
    cloud.bury(desk.job)
    assert (await redrive_sqs(cloud.settings)).moved == 1
    cloud.bury_body(encode(desk.job), opaque(desk.job.group), "the same once more")
    assert (await redrive_sqs(cloud.settings)).moved == 1

    queue = SqsQueue(cloud.settings.queue_url, cloud.aws.sqs)
    records = cloud.aws.lambda_records(cloud.settings.queue_url)
    assert len(records) == 2
    for record in records:
        assert await deliver(desk.worker, queue.delivered(record))
    assert desk.said() == [SAID]
