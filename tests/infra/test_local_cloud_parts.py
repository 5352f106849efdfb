"""The programs of the local cloud: clean environments, no survivors, errors that say what to do.

And the numbers of its queues, which an AWS counts without being asked.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local_cloud.__main__ import main
from infra.local_cloud.errors import LocalCloudError
from infra.local_cloud.ministack import free_port, started
from infra.local_cloud.processes import LEASH, clean_environment, run
from infra.local_cloud.queue_metrics import published
from infra.local_cloud.stack import client
from tests.doubles.local_cloud import until

# It starts one child that does as it is told and one that does not, and tells their ids.
PARENT = """
import subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
codes = ("import time; time.sleep(300)", deaf)
children = [subprocess.Popen([sys.executable, "-c", code]) for code in codes]
print(*(child.pid for child in children), flush=True)
time.sleep(float(sys.argv[1]))
"""


def alive(process: int) -> bool:
    asked = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
    )
    state = asked.stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.mark.parametrize("end", ["closed input", "killed caller", "own end"])
def test_nothing_that_a_program_started_outlives_it(end: str) -> None:
    seconds = "0.2" if end == "own end" else "300"
    leashed = [sys.executable, str(LEASH), sys.executable, "-c", PARENT, seconds]
    # The caller holds the other end of the pipe, as a process of its own so that it can be killed.
    caller = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            "leash = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)\n"
            "sys.stdin.readline()\n"
            "leash.stdin.close()\n"
            "leash.wait()\n",
            *leashed,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert caller.stdin is not None
    assert caller.stdout is not None
    children = [int(word) for word in caller.stdout.readline().split()]
    assert len(children) == 2
    if end == "closed input":
        caller.stdin.write("\n")
        caller.stdin.flush()
    elif end == "killed caller":
        caller.kill()
    until = time.monotonic() + 15
    while any(map(alive, children)):
        assert time.monotonic() < until, "something is still there"
        time.sleep(0.05)
    caller.stdin.close()
    caller.wait(10)
    caller.stdout.close()


def test_no_setting_and_no_credential_of_the_person_gets_into_the_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_BOT_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "PYTHONPATH"):
        monkeypatch.setenv(name, "real")
    environment = clean_environment(tmp_path, AUTH="true")
    assert "real" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["HOME"] == str(tmp_path)


async def test_a_program_that_fails_is_shown_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(LocalCloudError, match=r"(?s)the reason.*The try failed"):
        await run(
            command,
            what="The try",
            log=tmp_path / "log",
            environment=clean_environment(tmp_path),
            cwd=tmp_path,
        )


async def test_a_cancelled_program_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    task = asyncio.create_task(
        run(
            [sys.executable, "-c", PARENT, "300"],
            what="The try",
            log=log,
            environment=clean_environment(tmp_path),
            cwd=tmp_path,
        )
    )
    await until(lambda: log.exists() and len(log.read_text().split()) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(alive(int(word)) for word in log.read_text().split())


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalCloudError, match=f"Port {port} cannot be used"):
            free_port(port)


@pytest.mark.parametrize("port", ["99999", "-1", "page"])
def test_a_port_that_is_none_is_refused_in_a_sentence(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--aws-port", port] if port != "-1" else [f"--aws-port={port}"])
    assert f"{port} is no port" in capsys.readouterr().err


def counted(endpoint: str, queue: str, metric: str) -> list[float]:
    """Return the least and the greatest number that CloudWatch knows of a queue, if any."""
    now = datetime.now(UTC)
    with closing(client(endpoint, "cloudwatch")) as cloudwatch:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName=metric,
            Dimensions=[{"Name": "QueueName", "Value": queue}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Minimum", "Maximum"],
        )["Datapoints"]
    numbers = [datapoint[name] for datapoint in found for name in ("Minimum", "Maximum")]
    return [min(numbers), max(numbers)] if numbers else []


async def test_every_queue_has_its_own_numbers_also_after_an_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    visible, taken = (f"ApproximateNumberOfMessages{state}" for state in ("Visible", "NotVisible"))
    async with published(endpoint, every=0.1):
        await until(lambda: "the metrics of the queues are missing once" in caplog.text)
        async with started(tmp_path, port):
            with closing(client(endpoint, "sqs")) as sqs:
                urls = {
                    name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("full", "empty")
                }
                for _ in range(3):
                    sqs.send_message(QueueUrl=urls["full"], MessageBody="a question")
                sqs.receive_message(QueueUrl=urls["full"], MaxNumberOfMessages=1)
            await until(lambda: 2 in counted(endpoint, "full", visible))
            await until(lambda: 1 in counted(endpoint, "full", taken))
            await until(lambda: counted(endpoint, "empty", visible))
            for metric in (visible, taken):
                assert set(counted(endpoint, "empty", metric)) == {0}
            assert counted(endpoint, "missing", visible) == []
    # Left while nobody answered at that address, and nothing goes on.
    assert asyncio.all_tasks() == {asyncio.current_task()}
