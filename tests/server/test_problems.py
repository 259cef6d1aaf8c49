"""Every family of failure gets a sentence with a cause and a remedy."""

import asyncio
import errno
import socket
import ssl

import aiohttp
import pytest

from app.problems import Fault, describe

FAMILIES = [
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "dns"),
    (ssl.SSLCertVerificationError("self-signed"), "tls"),
    (ssl.SSLError("wrong version number"), "tls"),
    (TimeoutError(), "time-out"),
    (ConnectionRefusedError(), "refused"),
    (ConnectionResetError(), "cut-off"),
    (OSError(errno.ENOSPC, "No space left on device"), "disk-full"),
    (PermissionError(errno.EACCES, "Permission denied", "/x"), "not-permitted"),
    (FileExistsError(errno.EEXIST, "File exists", "/x"), "not-a-folder"),
    (OSError(errno.ENAMETOOLONG, "File name too long"), "bad-path"),
    (OSError(errno.EADDRINUSE, "in use"), "port-in-use"),
    (OSError(errno.ENETUNREACH, "unreachable"), "no-network"),
    (aiohttp.ServerDisconnectedError(), "cut-off"),
    (RuntimeError("what is this"), "unexpected"),
]


@pytest.mark.parametrize(("error", "code"), FAMILIES)
def test_families(error: Exception, code: str) -> None:
    problem = describe(error, "the model at api.example.com")
    assert problem.code == code
    assert problem.detail.endswith(".") or code == "unexpected"
    assert problem.remedy


def test_the_cause_at_the_bottom_counts() -> None:
    try:
        try:
            raise socket.gaierror(socket.EAI_NONAME, "no")
        except OSError as inner:
            raise RuntimeError("wrapped") from inner
    except RuntimeError as error:
        assert describe(error).code == "dns"
        assert describe(ExceptionGroup("several", [error])).code == "dns"


async def test_real_failures_of_the_client_we_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as refused:
            await session.get(address)
        assert describe(refused.value).code == "refused"
        with pytest.raises(aiohttp.ClientError) as unknown:
            await session.get("http://no-such-name.invalid/")
        assert describe(unknown.value).code == "dns"

        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises((aiohttp.ClientError, OSError)) as cut:
            await session.get(f"http://127.0.0.1:{port}/")
        assert describe(cut.value).code == "cut-off"
        server.close()


def test_a_fault_describes_itself() -> None:
    fault = Fault(code="c", status=418, title="t", detail="d.", remedy="r.")
    assert describe(fault) == fault.problem()
    assert Fault.of(TimeoutError(), "x").status == 504
