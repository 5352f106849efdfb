"""How the parts of an Office file refer to each other."""

import posixpath

from index.formats.archive import Archive
from index.formats.xml_events import Attributes, walk


def targets(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Return id -> (kind, path) of what ``part`` refers to inside the file.

    The kind is the last word of its type, such as ``slide``. Raises Refused.
    """
    folder, name = posixpath.split(part)
    content = archive.read_if_there(f"{folder}/_rels/{name}.rels")
    found: dict[str, tuple[str, str]] = {}

    def start(name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, path)

    if content:
        walk(content, start, lambda _: None)
    return found
