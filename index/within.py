"""Which documents a search is limited to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Within:
    """Limits of a search by source and by age; what is None does not limit.

    ``sources`` are names. A document was last updated at ``since`` or later, and earlier than
    ``before``; both bear a time zone. With either of them a document whose age is not known is left
    out, so that whoever reads "only pages updated since May" reads the truth.
    """

    sources: frozenset[str] | None = None
    since: datetime | None = None
    before: datetime | None = None

    def admits(self, source: str, updated_at: datetime | None) -> bool:
        """Tell whether a document of this source and age is inside the limits."""
        if self.sources is not None and source not in self.sources:
            return False
        if self.since is None and self.before is None:
            return True
        return (
            updated_at is not None
            and (self.since is None or updated_at >= self.since)
            and (self.before is None or updated_at < self.before)
        )

    def in_words(self) -> tuple[str, ...]:
        """Return the limits as parts of a sentence; none for a search without limits."""
        parts: list[str] = []
        if self.sources is not None:
            parts.append(f"only from {_listed(sorted(self.sources))}")
        if self.since is not None:
            parts.append(f"only pages updated since {self.since:%Y-%m-%d}")
        if self.before is not None:
            parts.append(f"only pages updated before {self.before:%Y-%m-%d}")
        return tuple(parts)


EVERYTHING = Within()


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
