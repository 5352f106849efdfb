"""E-books: the chapters in the order of reading, each as the HTML that it is."""

import posixpath
from dataclasses import dataclass, field
from urllib.parse import unquote

from index.formats import Refused, html
from index.formats.archive import Archive
from index.formats.decoding import decoded
from index.formats.outline import Outline, one_line
from index.formats.xml_events import Attributes, walk

_CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"
_CHAPTERS = frozenset(("application/xhtml+xml", "text/html"))


@dataclass
class _Package:
    titles: list[str] = field(default_factory=list)
    parts: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Id -> (path, media type, properties)."""
    spine: list[str] = field(default_factory=list)


def read(content: bytes) -> Outline:
    """Return the outline of an e-book. Raises Refused."""
    outline = Outline()
    with Archive(content) as archive:
        place = _place_of_package(archive.read(_CONTAINER))
        package = _package(archive.read(place))
        locked = archive.read_if_there(_LOCKS)
        for chapter in package.spine:
            path, media_type, properties = package.parts.get(chapter, ("", "", ""))
            if media_type not in _CHAPTERS or "nav" in properties.split():
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(path)))
            if path.encode() in locked:
                raise Refused("is locked by its publisher (DRM); use a copy without a lock")
            html.read_into(outline, decoded(archive.read(path), markup=True))
        first = next((h.text for h in outline.headings if h.level == 1), "")
        outline.title = one_line("".join(package.titles)) or first
    return outline


def _place_of_package(content: bytes) -> str:
    places: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        if name == "rootfile":
            places.append(attributes.get("full-path", ""))

    walk(content, start, lambda _: None)
    return places[0] if places else ""


def _package(content: bytes) -> _Package:
    package = _Package()
    in_title = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal in_title
        in_title = name == "title" and not package.titles
        if name == "item":
            package.parts[attributes.get("id", "")] = (
                attributes.get("href", ""),
                attributes.get("media-type", ""),
                attributes.get("properties", ""),
            )
        elif name == "itemref" and attributes.get("linear") != "no":
            package.spine.append(attributes.get("idref", ""))

    def end(_: str) -> None:
        nonlocal in_title
        in_title = False

    walk(content, start, end, lambda text: package.titles.append(text) if in_title else None)
    return package
