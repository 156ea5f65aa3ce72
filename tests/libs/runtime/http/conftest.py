import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.names import NameLookup

INSECURE = EgressPolicy(allow_insecure=True)


@pytest.fixture
def names() -> Iterator[NameLookup]:
    lookup = NameLookup()
    yield lookup
    lookup.close()


@pytest.fixture
async def client(names: NameLookup) -> AsyncIterator[OutboundClient]:
    """A client that may reach the receivers on loopback."""
    async with OutboundClient(
        INSECURE, names, user_agent="Test/1.0", max_connections=16
    ) as outbound:
        yield outbound


def _certificate(folder: Path, host: x509.GeneralName, ends: datetime.datetime) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - datetime.timedelta(days=2))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host.value}-{ends:%Y}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
TOMORROW = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)


class Certificates:
    """Self-signed certificates and the contexts that serve or trust them."""

    def __init__(self, folder: Path) -> None:
        self._good = _certificate(folder, LOOPBACK, TOMORROW)
        self._other_host = _certificate(folder, x509.DNSName("other.example"), TOMORROW)
        self._expired = _certificate(folder, LOOPBACK, TOMORROW - datetime.timedelta(days=800))

    def serving(self, which: str = "good") -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(
            {"good": self._good, "other_host": self._other_host}.get(which, self._expired)
        )
        return context

    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        for path in (self._good, self._other_host, self._expired):
            context.load_verify_locations(path)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))
