"""What a source may offer beside the Source port, so that its place is not asked too much."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Paced(Protocol):
    """What a source offers whose place must be asked slowly, and so by one process alone."""

    @property
    def paced(self) -> bool:
        """Whether several processes that fetch at once would break what the place asks for."""
        ...
