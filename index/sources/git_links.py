"""Where a file of a repository can be opened in a browser, at one commit. Pure."""

import re
import urllib.parse
from typing import Final

STYLES: Final = {
    "github": "{site}/blob/{commit}/{path}",
    "gitlab": "{site}/-/blob/{commit}/{path}",
    "bitbucket": "{site}/src/{commit}/{path}",
    "gitea": "{site}/src/commit/{commit}/{path}",
    "azure": "{site}?path=/{path}&version=GC{commit}",
}
"""Name of a host's software -> address of a file; ``{site}`` is the page of the repository."""

_HOSTS: Final = {"bitbucket.org": "bitbucket", "codeberg.org": "gitea", "dev.azure.com": "azure"}
_SCP_LIKE = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)/?(.+)")


def problem_of(web: str) -> str:
    """Return what is wrong with the ``web`` of a catalog, or nothing."""
    if not web or web in STYLES:
        return ""
    if urllib.parse.urlsplit(web).scheme not in ("http", "https") or "{path}" not in web:
        known = ", ".join(STYLES)
        return f"must be one of {known}, or an address such as https://host/{{path}}?at={{commit}}"
    unknown = set(re.findall(r"\{[^}]*\}?", web)) - {"{path}", "{commit}"}
    return f"knows only {{path}} and {{commit}}, not {min(unknown)}" if unknown else ""


def template_of(url: str, web: str) -> str:
    """Return the address of a file, with ``{commit}`` and ``{path}``; empty if none is known.

    Without ``web`` the name of the host decides: a part of it that names a software of ``STYLES``.
    """
    site, host = _site(url)
    if web and web not in STYLES:
        return web
    style = web or _style(host)
    return STYLES[style].replace("{site}", site) if style and site else ""


def link(template: str, commit: str, path: bytes) -> str:
    """Return the address of one file; empty without a template."""
    quoted = urllib.parse.quote(path)
    return template.replace("{commit}", commit).replace("{path}", quoted) if template else ""


def _site(url: str) -> tuple[str, str]:
    """Return the page of a repository and its host; both empty for a path."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme in ("http", "https", "ssh") and parts.hostname:
        host, path = parts.hostname, parts.path
        port = f":{parts.port}" if parts.port and parts.scheme != "ssh" else ""
        scheme = "http" if parts.scheme == "http" else "https"
    elif scp := _SCP_LIKE.fullmatch(url):
        host, path, port, scheme = scp[1].lower(), scp[2], "", "https"
    else:
        return "", ""
    path = path.strip("/").removesuffix(".git")
    return f"{scheme}://{host}{port}/{urllib.parse.quote(path, safe='/%~')}", host


def _style(host: str) -> str:
    labels = host.split(".")
    named = ("github", "gitlab", "gitea")
    return next((name for name in named if name in labels), _HOSTS.get(host, ""))
