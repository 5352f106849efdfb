"""A source whose documents are readable by whom the rules name, one by one."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from index.documents import DocumentRef, RawDocument, stable_id
from index.errors import DocumentUnreadable, SourceUnavailable
from index.pacing import Paced
from index.ports import Noted, Source
from index.sources.rules import (
    RULE_FILE,
    Rule,
    RulesInvalid,
    deciding,
    narrowed,
    read_rule_file,
)

_log = logging.getLogger(__name__)


@runtime_checkable
class HasRuleFile(Protocol):
    """What a source offers beside the Source port if a rule file may lie beside its documents."""

    async def rule_file(self) -> bytes | None:
        """Return the rule file as it is now, and None if there is none.

        Raises DocumentUnreadable if there is one that cannot be read, and SourceUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Beside:
    """What the rule file says: rules, or what is wrong with it, for then nobody may read."""

    rules: tuple[Rule, ...] = ()
    broken: str = ""


def ruled(source: Source, rules: Sequence[Rule] = ()) -> Source:
    """Return the source with the rules of the catalog and of its rule file applied.

    The readers of ``source`` are those of the documents that no rule of the catalog means.
    """
    return RuledSource(source, rules) if rules or isinstance(source, HasRuleFile) else source


class RuledSource:
    """The Source port around another source.

    The version of a ref bears who may read the document, so that a changed right is a changed
    document. Rights are those of the moment of the listing or newer, never older: the rule file is
    read after the listing has begun, again at its end, and again with bytes newer than listed.
    """

    def __init__(self, source: Source, rules: Sequence[Rule]) -> None:
        """Describe the source; nothing is read before it is listed."""
        self._source = source
        self._rules = tuple(rules)
        self._beside: _Beside | None = None

    @property
    def name(self) -> str:
        """Name in the catalog."""
        return self._source.name

    @property
    def readers(self) -> frozenset[str]:
        """Empty: each document has its own."""
        return frozenset()

    async def readers_of(self, ref: DocumentRef) -> frozenset[str]:
        """Return who may read a document, though its bytes may not be readable now."""
        return self._readers(ref.location, self._beside or await self._read_beside())

    @property
    def notes(self) -> Sequence[str]:
        """What the source tells about its latest listing."""
        return self._source.notes if isinstance(self._source, Noted) else ()

    @property
    def paced(self) -> bool:
        """Whether the source must be asked by one process alone."""
        return isinstance(self._source, Paced) and self._source.paced

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield the refs of the source. Raises SourceUnavailable, also if the rules change."""
        beside: _Beside | None = None
        used: set[Rule] = set()
        async for ref in self._source.list():
            if beside is None:
                beside = await self._read_beside()
            yield self._outer(ref, self._readers(ref.location, beside, used))
        if beside is not None and beside != await self._read_beside():
            raise SourceUnavailable(
                f"{RULE_FILE} of {self.name} changed while its documents were listed; sync again."
            )
        for rule in (*self._rules, *(beside.rules if beside else ())):
            if rule not in used:  # a misspelt path leaves open what it was meant to close
                _log.warning(
                    "no document of %s is decided by the rule %r", self.name, rule.path.text
                )

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the bytes of one document, with those who may read it.

        Raises DocumentUnreadable, also if nobody may read it, and SourceUnavailable.
        """
        listed, separator, rights = ref.version.rpartition("@")
        beside = self._beside or await self._read_beside()
        if rights != _rights(self._readers(ref.location, beside)):
            beside = await self._read_beside()
        self._refuse_closed(ref.location, beside)
        inner = replace(ref, version=listed if separator else ref.version)
        raw = await self._source.fetch(inner)
        if raw.ref != inner:
            beside = await self._read_beside()
            self._refuse_closed(ref.location, beside)
        readers = self._readers(ref.location, beside)
        return replace(raw, ref=self._outer(raw.ref, readers), readers=readers)

    def _outer(self, ref: DocumentRef, readers: frozenset[str]) -> DocumentRef:
        return replace(ref, version=f"{ref.version}@{_rights(readers)}")

    def _readers(
        self, location: str, beside: _Beside, used: set[Rule] | None = None
    ) -> frozenset[str]:
        """Return who may read a document, and add the rules that decide it to ``used``."""
        if beside.broken:
            return frozenset()
        reviewed, named = deciding(self._rules, location), deciding(beside.rules, location)
        if used is not None:
            used.update(rule for rule in (reviewed, named) if rule)
        allowed = reviewed.readers if reviewed else self._source.readers
        return narrowed(allowed, named.readers) if named else allowed

    def _refuse_closed(self, location: str, beside: _Beside) -> None:
        if beside.broken:
            raise DocumentUnreadable(
                f"{location} is readable by nobody while {RULE_FILE} is broken: {beside.broken}"
            )
        if not self._readers(location, beside):
            raise DocumentUnreadable(
                f"{location} is readable by nobody: {RULE_FILE} names only readers whom the catalog"
                " does not let read it; name some of those, or widen the catalog."
            )

    async def _read_beside(self) -> _Beside:
        if not isinstance(self._source, HasRuleFile):
            self._beside = _Beside()
            return self._beside
        try:
            content = await self._source.rule_file()
            beside = _Beside() if content is None else _Beside(read_rule_file(content))
        except (RulesInvalid, DocumentUnreadable) as error:
            beside = _Beside(broken=str(error))
        self._beside = beside
        return beside


def _rights(readers: frozenset[str]) -> str:
    return stable_id("readers", *sorted(readers))
