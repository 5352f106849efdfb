"""The whole of it: a local Slack and a local AWS with the stack in it, the documents synced."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.playground.server import Playground
from handlers.runtime.demo import BOT_TOKEN, HANDBOOK, SIGNING_SECRET, SUGGESTIONS
from index.embedding import export_onnx
from infra.local_cloud import gaps, ministack, queue_metrics, syncing
from infra.local_cloud.errors import LocalCloudError
from infra.local_cloud.ministack import ROOT
from infra.local_cloud.stack import Stack, deployed, put_settings, site_packages

MODELS = ROOT / "build" / "models"
CATALOG = ROOT / "infra" / "sources.toml"

Told = Callable[[str], None]


@dataclass(frozen=True)
class LocalCloud:
    """What is running: the local Slack, and the stack in the local AWS."""

    slack: Playground
    stack: Stack


@dataclass
class Steps:
    """Tells of each step as it begins and ends, and remembers how long it took, in seconds."""

    tell: Told
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[None]:
        """Time what is done in the block."""
        self.tell(f"{doing} ...")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)
        self.tell(f"    done in {self.seconds[name]:.1f} s")


@asynccontextmanager
async def running(
    folder: Path,
    steps: Steps,
    *,
    docs: Path | None = None,
    page_port: int = 0,
    aws_port: int = 0,
    parameters: dict[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    sync: bool = True,
    rate_limits: bool = True,
    queue_metrics_every: float = queue_metrics.EVERY_SECONDS,
) -> AsyncIterator[LocalCloud]:
    """Run everything until the block is left; ``folder`` takes all data. Raises LocalCloudError.

    ``docs`` is a folder to answer from instead of the sample handbook, ``parameters`` are more
    stage parameters, ``settings`` more of what lies in the parameter store. With ``sync`` the first
    sync is over when the block is entered. ``queue_metrics_every`` is in seconds.
    """
    slack = Playground(
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        port=page_port,
        suggestions=() if docs else SUGGESTIONS,
        rate_limits=rate_limits,
        title="Local cloud",
    )
    with steps.step("embedder", "exporting the embedder, unless it is there"):
        await asyncio.to_thread(export_onnx, MODELS / "all-MiniLM-L6-v2")
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(_started(slack, page_port))
        with steps.step("install", "installing the local AWS, unless it is there"):
            await asyncio.to_thread(ministack.installed)
        with steps.step("start", "starting the local AWS, with permissions enforced"):
            aws = await opened.enter_async_context(ministack.started(folder, aws_port))
        with steps.step("deploy", "deploying serverless.yml"):
            stored = slack_settings(slack.api_url) | dict(settings or {})
            await asyncio.to_thread(put_settings, aws.endpoint, stored)
            given = stage_parameters(folder, docs or HANDBOOK)
            stack = await deployed(aws, given | (parameters or {}))
            opened.callback(stack.close)
            await asyncio.to_thread(gaps.fill, stack)
            told = queue_metrics.published(aws.endpoint, every=queue_metrics_every)
            await opened.enter_async_context(told)
        slack.events_url = stack.events_url
        if sync:
            with steps.step("sync", "waiting for the scheduler to sync the documents"):
                await asyncio.to_thread(syncing.bring_forward, stack, "ingest")
                await syncing.finished_run(stack, "ingest")
        yield LocalCloud(slack, stack)


def slack_settings(api_url: str) -> dict[str, str]:
    """Return the settings that an operator writes into the parameter store."""
    return {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": api_url,
    }


def stage_parameters(folder: Path, docs: Path) -> dict[str, str]:
    """Return what the stage local needs to know of this machine."""
    return {
        "docs": str(docs.resolve()),
        "sources": str(CATALOG),
        "home": str(folder / "home"),
        "models": str(MODELS),
        "pythonPath": site_packages(),
    }


@asynccontextmanager
async def _started(slack: Playground, port: int) -> AsyncIterator[None]:
    try:
        await slack.start()
    except OSError as error:
        raise LocalCloudError(
            f"Port {port} cannot be used ({error.strerror}). Choose another with --port."
        ) from error
    try:
        yield
    finally:
        await slack.stop()
