"""DOOR: the schedule. Brings the index in step with its sources."""

from dataclasses import asdict
from typing import Any

from handlers.runtime.invoke import run
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import document_source, indexing_embedder, opened_index
from index.parsing import DocumentParser
from index.sync import SyncReport, sync


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run one sync; returns its report."""
    settings = Settings.load()
    configure(settings.log_level)
    return asdict(run(sync_once(settings)))


async def sync_once(settings: Settings) -> SyncReport:
    """Bring the configured folder and index in step. Raises KnowledgeError, SettingsError."""
    embedder = indexing_embedder()
    async with opened_index(settings, embedder) as index:
        return await sync(document_source(settings), DocumentParser(), embedder, index)
