"""What tests of several drivers share: OPA servers, a real one and one that follows a script; a certificate."""

from __future__ import annotations

import datetime
import ipaddress
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sidecar.drivers.rego_engine import default_bundle
from tests.drivers import opa_process
from tests.drivers.engines_kit import Handler, Start


@pytest.fixture(scope="session")
def default_url() -> Iterator[str]:
    with opa_process.serving(default_bundle().raw) as url:
        yield url


@pytest.fixture
async def scripted() -> AsyncIterator[Start]:
    """Starts a server on a Unix socket that answers as it is told to."""
    with tempfile.TemporaryDirectory() as folder:
        runners: list[web.AppRunner] = []

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runners.append(web.AppRunner(app, shutdown_timeout=0.1))
            await runners[-1].setup()
            await web.UnixSite(runners[-1], f"{folder}/s").start()
            return f"unix://{folder}/s"

        yield start
        for runner in runners:
            await runner.cleanup()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of its own CA for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stub")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
