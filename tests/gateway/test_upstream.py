"""The way out: proxies and certificates as the network wants them, and never a proxy for this machine."""

import ssl
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.gateway.upstream import Upstream, is_loopback, proxy_for
from tests.gateway.parts import listen

PROXY = "http://proxy.example:3128"


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, PROXY)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.8.9.1", "[::1]", "x.localhost"])
def test_this_machine_is_never_behind_a_proxy(proxied: None, host: str) -> None:
    assert proxy_for(f"http://{host}:11434/v1") is None


def test_everything_else_is(proxied: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("https://api.example.com/v1") == PROXY
    assert proxy_for("http://10.0.0.5:8000/v1") == PROXY
    monkeypatch.setenv("no_proxy", "10.0.0.5,.internal.example")
    monkeypatch.setenv("NO_PROXY", "10.0.0.5,.internal.example")
    assert proxy_for("http://10.0.0.5:8000/v1") is None
    assert proxy_for("https://models.internal.example/v1") is None
    assert proxy_for("https://api.example.com/v1") == PROXY


def test_names_that_only_look_local() -> None:
    for host in ("localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "", "localhost6x"):
        assert not is_loopback(host)


async def test_a_request_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def proxy(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.raw_path)
        return web.Response(text="by proxy")

    runner = web.ServerRunner(web.Server(proxy), shutdown_timeout=0.1)
    await runner.setup()
    listener = listen()
    await web.SockSite(runner, listener).start()
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.getsockname()[1]}")
    async with Upstream() as upstream:
        answer = await upstream.request("POST", "http://api.example.com/v1/x", {}, b"{}")
        assert await answer.text() == "by proxy"
        answer.release()
    await runner.cleanup()
    assert seen == ["http://api.example.com/v1/x"]


async def test_a_certificate_of_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def hello(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(hello), shutdown_timeout=0.1)
    await runner.setup()
    listener = listen()
    await web.SockSite(runner, listener, ssl_context=context).start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
    async with Upstream() as upstream:
        with pytest.raises(ssl.SSLCertVerificationError):
            await upstream.request("GET", url, {})
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with Upstream() as upstream:
        answer = await upstream.request("GET", url, {})
        assert await answer.text() == "hello"
        answer.release()
    await runner.cleanup()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    import datetime
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "twinseat test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "own.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file
