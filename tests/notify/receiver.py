"""A server of somebody else's for one test, that can be killed and started again on the same port."""

import ipaddress
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SCRIPT = Path(__file__).with_name("script_http.py")


class Receiver:
    """Takes POST requests, over TLS with a certificate of its own unless it is a plain one."""

    def __init__(self, folder: Path, *, secure: bool = True) -> None:
        self.taken, self.port, self.secure = folder / "taken", 0, secure
        self.taken.mkdir(parents=True)
        self.files = _certificate(folder) if secure else []

    @contextmanager
    def open(self, how: str = "takes") -> Iterator[None]:
        with subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.taken), str(self.port), how, *self.files],
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            self.port = int(process.stdout.readline())
            try:
                yield
            finally:
                process.kill()
                process.wait()

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://localhost:{self.port}/hook?of=test"

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.files[0])

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.taken.iterdir())]


def _certificate(folder: Path) -> list[str]:
    """A certificate of `localhost` and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = [folder / "certificate.pem", folder / "key.pem"]
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return [str(path) for path in paths]
