"""One way to write each address of a website, so that one page is one document."""

import mimetypes
import re
from typing import Final

from protego import Protego
from yarl import URL

from index.addresses import checked_host
from index.formats import MEDIA_TYPES

LONGEST: Final = 1_000
"""Characters of an address; longer ones are made by programs that go round in circles."""

_TRACKING: Final = frozenset(
    "gclid gclsrc dclid gbraid wbraid fbclid msclkid yclid twclid ttclid igshid mc_cid mc_eid _ga"
    " _gl _hsenc _hsmi vero_id mkt_tok phpsessid jsessionid aspsessionid sessionid session_id"
    " cfid cftoken".split()
)
"""Parameters that say where a reader came from or who it is, and never which page."""

_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_WHITE = re.compile(r"[\t\n\r]")
_NO_DOCUMENT = frozenset(("audio", "font", "image", "video"))
_ASSETS = frozenset("text/css text/javascript application/javascript".split())
"""On a website these are how pages look and move, and not the source code that they are elsewhere.
"""

_NO_DOCUMENT_EITHER = _ASSETS | frozenset(
    "application/zip application/gzip application/x-tar application/wasm"
    " application/x-msdownload".split()
)


def location(written: str, beside: str = "") -> str:
    """Return an address in its one form; empty if it is none of a web page.

    ``beside`` is the page that a relative address stands on. Fragments, default ports, dots in the
    path, session ids and parameters of tracking vanish.
    """
    try:
        url = URL(_WHITE.sub("", written.strip()))
        url = URL(beside).join(url) if beside else url
        host, port = checked_host(url.raw_host or ""), url.port
    except ValueError:
        return ""
    if url.scheme not in ("http", "https") or url.raw_user is not None or port is None:
        return ""
    authority = authority_of(host, port)
    path = _SESSION.sub("", url.raw_path) or "/"
    kept = [one for one in url.raw_query_string.split("&") if one and not _is_tracking(one.lower())]
    found = f"{url.scheme}://{authority}{path}" + ("?" + "&".join(kept) if kept else "")
    return found if len(found) <= LONGEST else ""


def authority_of(host: str, port: int) -> str:
    """Return ``host``, or ``host:port`` if the port is none that goes without saying."""
    name = f"[{host}]" if ":" in host else host
    return name if port in (80, 443) else f"{name}:{port}"


def host_of(url: str) -> str:
    """Return the authority of a location."""
    return url.split("/", 3)[2]


def may_be_document(url: str) -> bool:
    """Tell whether an address looks as if there may be a document, or links to some."""
    path = url.partition("?")[0].lower()
    kind = mimetypes.guess_type(path, strict=False)[0] or ""
    if path.endswith(tuple(MEDIA_TYPES)) and kind not in _ASSETS:
        return True
    return kind.partition("/")[0] not in _NO_DOCUMENT and kind not in _NO_DOCUMENT_EITHER


class Scope:
    """Which addresses belong to a website: by host, and by patterns of the path.

    Patterns are written as in robots.txt (RFC 9309): the beginning of a path, ``*`` for anything,
    ``$`` for its end; the longest that fits decides, and ``include`` wins a tie. Without
    ``include`` all paths belong to it that are not excluded.
    """

    def __init__(
        self, hosts: frozenset[str], include: tuple[str, ...], exclude: tuple[str, ...]
    ) -> None:
        """Take authorities as ``authority_of`` writes them, and patterns."""
        self.hosts = hosts
        rules = ["User-agent: *", *(f"Allow: {one}" for one in include)]
        rules += [f"Disallow: {one}" for one in (*exclude, *(("/",) if include else ()))]
        self._rules = Protego.parse("\n".join(rules))

    def holds(self, url: str) -> bool:
        """Tell whether a location belongs to the website."""
        return (
            bool(url)
            and host_of(url) in self.hosts
            and self._rules.can_fetch(url, "*")
            and may_be_document(url)
        )


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0]
    return name in _TRACKING or name.startswith("utm_")
