"""Which network addresses a request may reach: public ones, and no other.

The tables are our own, after the IANA registries of special-purpose addresses
(https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry):
``ipaddress.is_global`` calls some addresses global that lead home again inside others. Of IPv6 only
the block that is handed out for public use counts, less what carries an IPv4 address within.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NEVER_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "169.254.0.0/16",  # link-local, and what clouds tell their machines about themselves
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata among them
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # public by number, yet Azure's host to each of its machines
    )
)
_PRIVATE_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of a carrier
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
)
_HANDED_OUT_V6: Final = IPv6Network("2000::/3")
_NEVER_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address within
        "3ffe::/16",  # a test network, given back
        "3fff::/20",  # documentation
        "fd00:ec2::/32",  # what Amazon tells its machines about themselves
    )
)
_PRIVATE_V6: Final = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_LONGEST_NAME = 253


def is_reachable(address: str, *, private: bool = False) -> bool:
    """Tell whether a request may go to an IP address.

    ``private`` opens private networks and this machine, for a host that an operator named; what
    clouds tell their machines, multicast, reserved and embedded addresses stay closed even then.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NEVER_V4) and (
            private or not any(found in network for network in _PRIVATE_V4)
        )
    if found.scope_id is not None or any(found in network for network in _NEVER_V6):
        return False
    if found in _HANDED_OUT_V6:
        return not _is_isatap(found)
    return private and any(found in network for network in _PRIVATE_V6)


def checked_host(host: str) -> str:
    """Return a host as it is compared: lower-case, without brackets and the last dot.

    Raises ValueError, with half a sentence, for what is neither a name nor a plain IP address:
    ``0x7f.1``, ``2130706433`` or ``127.1``, which some programs take for 127.0.0.1.
    """
    name = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    if ":" in name:
        try:
            return str(IPv6Address(name))
        except ValueError:
            raise ValueError("names no host") from None
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError("names no host")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise ValueError("writes an IP address in an odd way") from None
    return name


def is_literal(host: str) -> bool:
    """Tell whether a checked host is an IP address itself."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def _is_isatap(address: IPv6Address) -> bool:
    """Tell whether the address carries an IPv4 address as ISATAP (RFC 5214) does."""
    return (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE
