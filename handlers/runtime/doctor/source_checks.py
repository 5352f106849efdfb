"""What `footnote doctor` looks at in the catalog of sources and in their last syncs."""

from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.source_health import looked_at
from handlers.runtime.sources import document_sources
from handlers.work.errors import StoreUnavailable
from index.errors import CatalogInvalid

SOURCES = "sources"


async def source_findings(settings: Settings) -> list[Finding]:
    """See that the catalog can be used, and that each of its sources is in step."""
    if settings.docs is None and settings.sources is None:
        return [skipped(SOURCES, "No source is declared here.")]
    try:
        document_sources(settings)
        found = await looked_at(settings)
    except (CatalogInvalid, SettingsError) as error:
        todo = "Correct the catalog, or the settings that name it."
        return [failed(SOURCES, " ".join(error.problems), todo)]
    except StoreUnavailable:
        return [skipped(SOURCES, "The state store did not answer.")]
    late = [one for one in found if not one.in_step]
    if late:
        told = "; ".join(
            f"{one.name}: {one.health.reason}"
            if one.health and one.health.reason
            else f"{one.name} was never synced"
            for one in late
        )
        return [warning(SOURCES, told, "Run `footnote sync`; `footnote sources` tells more.")]
    left = sum(one.health.skipped for one in found if one.health)
    beyond = f"; {left:,} documents were skipped, see `footnote sources`" if left else ""
    count = "The source is" if len(found) == 1 else f"All {len(found)} sources are"
    return [ok(SOURCES, f"{count} in step{beyond}.")]
