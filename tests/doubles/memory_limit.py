"""The kernel's limit of memory, which ends a process here as it ends one of Lambda's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
"""Control groups, which root may make: https://docs.kernel.org/admin-guide/cgroup-v2.html

Their first version keeps those for memory in a folder of their own, and calls its files otherwise.
"""

_FIRST = _GROUPS / "memory"
_PLACE, _LIMIT, _EVENTS = (
    (_FIRST, "memory.limit_in_bytes", "memory.oom_control")
    if _FIRST.is_dir()
    else (_GROUPS, "memory.max", "memory.events")
)


@dataclass(frozen=True)
class MemoryLimit:
    """A control group that may have no memory at all."""

    _group: Path

    def exhaust(self, process: int) -> None:
        """Leave a process what it has and no page more: the kernel ends it when it asks for one."""
        (self._group / "cgroup.procs").write_text(str(process))

    def ended(self) -> int:
        """Return how many processes the kernel has ended here."""
        told = (self._group / _EVENTS).read_text()
        return int(re.findall(r"^oom_kill (\d+)$", told, re.MULTILINE)[0])


@contextmanager
def memory_limit(name: str) -> Iterator[MemoryLimit]:
    """Make a group for the block, which must outlive all processes in it.

    Raises OSError where the machine has no such groups, or does not let us make one.
    """
    group = _PLACE / f"footnote-{name}"
    group.mkdir()
    try:
        (group / _LIMIT).write_text("0")
        yield MemoryLimit(group)
    finally:
        group.rmdir()
