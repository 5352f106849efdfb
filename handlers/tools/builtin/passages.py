"""What opens passages again. Their words are numbered and shown by whoever runs the tool. Pure."""

from collections.abc import Sequence

from index.documents import Passage


def handles(passages: Sequence[Passage]) -> str:
    """Return a line for each passage, in their order, with what ``open_section`` takes."""
    lines = [
        f"- document {one.chunk.document_id}, part {one.chunk.ordinal} (source {one.source})"
        for one in passages
    ]
    return "\n".join(["Where these passages stand, in their order, for open_section:", *lines])
