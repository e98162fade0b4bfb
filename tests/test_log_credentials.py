"""NATS servers that want a password and speak TLS only."""

import asyncio
import datetime
import ipaddress
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nats.aio.client import Client

from app.log import LogUnavailable, servers
from app.log.address import Address
from app.log.cluster import Cluster
from tests.logs import Clock, call
from tests.nats_servers import Servers

pytestmark = pytest.mark.anyio
PASSWORD = "very-secret-17"
STRICT = """\
authorization {{ user: pitwall, password: "{password}" }}
tls {{ cert_file: "{folder}/server.pem", key_file: "{folder}/server.key", handshake_first: true }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's certificate is, `server.pem`, which vouches for itself."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nats")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (folder / "server.pem").write_bytes(certificate.public_bytes(text))
    (folder / "server.key").write_bytes(
        key.private_bytes(text, serialization.PrivateFormat.PKCS8, plain)
    )
    (folder / "secret").write_text(f"pitwall:{PASSWORD}\n")
    return folder


@pytest.fixture(scope="module")
def strict(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    more = STRICT.format(folder=folder, password=PASSWORD)
    started = Servers.start(tmp_path_factory.mktemp("nats"), 1, more=more)
    yield started
    started.end()


@pytest.fixture
def address(strict: Servers, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Address:
    monkeypatch.setattr(servers, "CONNECT_S", 2.0)
    options = f"&credentials={folder}/secret&tls={folder}/server.pem"
    return Address.parse(strict.new_url() + options)


async def test_with_the_password_and_the_certificate_it_stores(address: Address) -> None:
    cluster = await Cluster.open(address, Clock())
    log = await cluster.site_log("main")

    assert await log.append([call(1)]) == 1
    await cluster.close()


async def test_a_wrong_password_is_refused_in_words_and_not_said(
    address: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = tmp_path / "wrong"
    wrong.write_text("pitwall:hunter2")

    with pytest.raises(LogUnavailable, match="refuse Pitwall's credentials") as refusal:
        await Cluster.open(replace(address, credentials=str(wrong)), Clock())
    assert "hunter2" not in caplog.text + repr(refusal.value)


async def test_a_client_that_swallows_its_cancellation_is_refused_in_time(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "CONNECT_S", 0.05)
    swallowed = []

    async def connect(self: Client, *_: object, **__: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append(self)
        await asyncio.Event().wait()

    monkeypatch.setattr(Client, "connect", connect)
    async with asyncio.timeout(2):
        with pytest.raises(LogUnavailable):
            await Cluster.open(address, Clock())
    assert swallowed


async def test_servers_that_nobody_vouches_for_get_no_password(address: Address) -> None:
    with pytest.raises(LogUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await Cluster.open(replace(address, tls="yes"), Clock())


@pytest.mark.parametrize("said", ["", "user:one\nuser:two"])
async def test_a_file_of_something_else_is_refused(
    address: Address, tmp_path: Path, said: str
) -> None:
    (tmp_path / "odd").write_text(said)

    with pytest.raises(LogUnavailable, match="USER:PASSWORD, or a token"):
        await Cluster.open(replace(address, credentials=str(tmp_path / "odd")), Clock())


async def test_files_that_are_not_there_are_named(address: Address, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")

    with pytest.raises(LogUnavailable, match="missing can't be read: No such file"):
        await Cluster.open(replace(address, credentials=missing), Clock())
    with pytest.raises(LogUnavailable, match="missing, to check the NATS servers' by"):
        await Cluster.open(replace(address, tls=missing), Clock())
