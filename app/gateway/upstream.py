"""The way to the providers: one HTTP client for all, through the network's proxy and with its certificates."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

CONNECT_SECONDS = 20.0
SILENCE_SECONDS = 600.0
"""Longest silence within an answer: a model may think for minutes before its first word."""


class Upstream:
    """A shared client session, made at the first use. Streams are handed on as they arrive."""

    def __init__(self, *, connect: float = CONNECT_SECONDS, silence: float = SILENCE_SECONDS) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=silence)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> aiohttp.ClientResponse:
        """Send it and return when the answer's head is there; the caller releases it.

        A connection that the other side closed before the first byte (an idle one, most often) is tried once more;
        nothing else is. Redirects are not followed: they would take the key elsewhere. Raises aiohttp.ClientError,
        TimeoutError, OSError.
        """
        session = self._open()
        trusted = await _certificates() if url.startswith("https:") else True
        for last in (False, True):
            try:
                return await session.request(
                    method, url, headers=headers, data=body, proxy=proxy_for(url), ssl=trusted, allow_redirects=False
                )
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError) as error:
                if last or isinstance(error, aiohttp.ClientConnectorError):
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Drop all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=60)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=2**18,
            )
        return self._session


def proxy_for(url: str) -> str | None:
    """The proxy that the environment (or the system) names for an address; never one for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or not proxy.startswith("http") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host.casefold().rstrip(".") == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_contexts: dict[tuple[str | None, str | None], ssl.SSLContext] = {}


async def _certificates() -> ssl.SSLContext:
    """What to trust. Reading the system's certificates takes a tenth of a second: in a thread, and once."""
    named = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if named not in _contexts:
        _contexts[named] = await asyncio.to_thread(_read_certificates)
    return _contexts[named]


def _read_certificates() -> ssl.SSLContext:
    """The system's certificates, or those of SSL_CERT_FILE and SSL_CERT_DIR; certifi's where the system has none."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or (paths.capath and any(Path(paths.capath).iterdir()))):
        try:
            import certifi
        except ImportError:
            return context
        context.load_verify_locations(certifi.where())
    return context
