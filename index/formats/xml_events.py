"""XML, element by element, without its dangers: no entities of its own, no endless nesting.

Names come without their prefixes. Nothing outside of the text is ever loaded.
"""

from collections.abc import Callable, Mapping
from typing import Final
from xml.parsers import expat

from index.formats import Refused

DEEPEST: Final = 500
"""Elements inside each other; Office writes about thirty."""

Attributes = Mapping[str, str]


def walk(
    content: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], None] = lambda _: None,
) -> None:
    """Call ``start``, ``end`` and ``text`` for what ``content`` holds, in its order.

    Raises Refused if it is broken, defines entities or is nested absurdly deep.
    """
    depth = 0

    def entered(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise Refused(f"is nested more than {DEEPEST} levels deep; simplify it")
        start(_local(name), attributes)

    def left(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(_local(name))

    def entity(*_: object) -> None:
        raise Refused("defines XML entities, which no program writes; save it anew")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = entered
    parser.EndElementHandler = left
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("holds broken XML; save it anew") from error


def attribute(attributes: Attributes, name: str) -> str:
    """Return an attribute by its name without a prefix, or an empty string."""
    if name in attributes:
        return attributes[name]
    return next((v for k, v in attributes.items() if k.endswith(f":{name}")), "")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
