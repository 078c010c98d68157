"""One HTTP request out of the house, its answer's status and nothing more: to a receiver of webhooks, or a gateway.

No redirect is followed, no proxy is asked, no certificate is taken on trust, and a receiver that sends its answer byte
by byte is left after the same seconds as one that says nothing. Where the address comes from a person, every address
of the name must be a public one, and the one that was looked at is the one that is called: a name that means another
computer a moment later leads nowhere (server-side request forgery).
"""

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

#: Seconds after which a server that says nothing, or not enough, is taken to be dead.
PATIENCE = 10
#: What there is of an answer before its status is plain.
_MOST = 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r]")
#: Networks whose addresses stand for others, within which an address of the house could hide (RFC 6052, 3056, 4380).
_DISGUISES = tuple(ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_OF_THE_HOUSE = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa", ".invalid", ".onion")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Admits = Callable[[Address], bool]


class NoAnswer(Exception):  # noqa: N818  (an answer of the world, not a mistake of ours)
    """Nobody answered as HTTP; `code` says how it failed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_public(address: Address) -> bool:
    """Whether the address is one of the internet, and none of the house, of this computer, or of several."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _DISGUISES):
            return False
    return address.is_global and not address.is_multicast


def why_not(url: str) -> str | None:
    """What keeps an address that a person named from being called; None: nothing that can be seen in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme != "https" or not host or any(character.isspace() for character in url):
        return "This is an address that begins with https://."
    if parts.username is not None or parts.password is not None:
        return "No user and no password stand in the address: what is sent is signed instead."
    if parts.fragment:
        return "An address to send to has no part after #."
    if port == 0:
        return "There is no port 0."
    if not _NAME.fullmatch(host) or host.endswith(_OF_THE_HOUSE):
        return "Name a server of the internet by its name: not by a number, and none of the house."
    return None


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, admits: Admits | None, context: ssl.SSLContext | None = None
) -> int:
    """Send `body` and answer with the status (100 to 599); NoAnswer where there is none.

    `admits` is asked of every address of the server's name; None, for a server that the installer names, asks nothing.
    """
    parts = urlsplit(url)
    until = time.monotonic() + PATIENCE
    try:
        with closing(_connected(parts, admits, until, context)) as server:
            line = http.client.HTTPConnection(parts.hostname or "", parts.port)
            line.sock = server
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            line.request("POST", target, body, {"Host": parts.netloc, "Connection": "close", **headers})
            return _status(server, until)
    except ssl.SSLError as refused:
        raise NoAnswer("certificate-refused") from refused
    except (OSError, UnicodeError, http.client.HTTPException) as broken:
        raise NoAnswer("server-down") from broken


def _connected(
    parts: SplitResult, admits: Admits | None, until: float, context: ssl.SSLContext | None
) -> socket.socket:  # fmt: skip
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    if admits is not None and not all(admits(ipaddress.ip_address(address[0])) for *_, address in found):
        raise NoAnswer("address-not-public")
    refused: OSError = OSError("no address")
    for family, kind, protocol, _, address in found:
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(_left(until))
            plain.connect(address)
            if not secure:
                return plain
            return (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=parts.hostname)
        except OSError as broken:
            plain.close()
            if isinstance(broken, ssl.SSLError):
                raise
            refused = broken
    raise refused


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise NoAnswer("server-silent")
    return left


def _status(server: socket.socket, until: float) -> int:
    said = b""
    while not (found := _STATUS.match(said)):
        server.settimeout(_left(until))
        piece = server.recv(256)
        if not piece or len(said) > _MOST:
            raise NoAnswer("no-http")
        said += piece
    return int(found[1])
