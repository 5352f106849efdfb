"""Which addresses of the web may be asked: decided for the name, its answers, and the socket.

An aiohttp resolver, so that what is checked is what is dialled: a name is resolved once.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from index.addresses import checked_host, is_literal, is_reachable
from index.errors import FetchRefused

PORTS: Final = frozenset({80, 443})

_CREDENTIALS = re.compile(r"//[^/?#]*@")

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Host name -> its IP addresses. Raises OSError."""


async def system_addresses(host: str) -> Sequence[str]:
    """Resolve a name as this machine does."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Gate(AbstractResolver):
    """Decides about each address before anything is sent there.

    ``private`` are hosts that need not be public, as ``Fetcher`` takes them.
    """

    def __init__(self, private: Iterable[str], resolve: Resolve) -> None:
        """Describe it. Raises ValueError if an entry of ``private`` names no host."""
        self._private = _opened(private)
        self._resolve = resolve
        self._admitted: set[tuple[str, int]] = set()
        """Addresses and ports behind ``private``, as they were resolved."""

    def checked(self, url: str, beside: URL | None = None) -> URL:
        """Return an address that may be asked, as far as can be told without resolving it.

        It may be relative to the one ``beside`` it. Raises FetchRefused.
        """
        try:
            target = URL(url) if beside is None else beside.join(URL(url))
            host, port = checked_host(target.raw_host or ""), target.port
            target = target.with_host(host).with_fragment(None)
        except ValueError:
            raise FetchRefused(f"{shown(url)} is no address of a web page.") from None
        if target.scheme not in ("http", "https") or port is None:
            raise FetchRefused(f"{shown(url)} does not begin with http:// or https://.")
        if target.raw_user is not None or target.raw_password is not None:
            raise FetchRefused(f"An address on {host} holds a password; take it out.")
        private = (host, port) in self._private
        if port not in PORTS and not private:
            raise FetchRefused(f"{shown(target)} is not on port 80 or 443.")
        if is_literal(host):
            self._admit(host, host, port)
        return target

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return what a name resolves to. Raises FetchRefused if any of it must not be asked."""
        addresses = await self._resolve(host)
        if not addresses:
            raise OSError(f"{host} has no address")
        for address in addresses:
            self._admit(host, address, port)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    def socket_for(self, dialled: tuple[Any, ...]) -> socket.socket:
        """Return the socket that an address is dialled with; the last look before it happens."""
        family, kind, protocol, _, (address, port, *_) = dialled
        if not is_reachable(address) and (address, port) not in self._admitted:
            # An OSError, since that is what those who dial expect.
            raise PermissionError(f"The address {address} is not public.")
        return socket.socket(family=family, type=kind, proto=protocol)

    async def close(self) -> None:
        """Hold nothing."""

    def _admit(self, host: str, address: str, port: int) -> None:
        private = (host, port) in self._private
        if not is_reachable(address, private=private):
            raise FetchRefused(
                f"{host} is at an address that is not public"
                + (", of a kind that is never opened." if private else "; requests stay outside.")
            )
        if private:
            self._admitted.add((address, port))


def _opened(private: Iterable[str]) -> frozenset[tuple[str, int]]:
    pairs: set[tuple[str, int]] = set()
    for entry in private:
        if not set(entry).isdisjoint("/?#@"):
            raise ValueError(f"{entry!r} names no host")
        written = URL(f"http://{entry}/")
        host = checked_host(written.raw_host or "")
        named = written.explicit_port
        pairs.update((host, port) for port in (PORTS if named is None else (named,)))
    return frozenset(pairs)


def shown(url: URL | str) -> str:
    """Return an address as a person may read it in a sentence: short, and without a password."""
    text = _CREDENTIALS.sub("//", str(url))
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= 200 else f"{text[:200]}..."
