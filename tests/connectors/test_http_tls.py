"""Certificates, ours and theirs, on a real connection."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Misconfigured, Source
from watersmeet.connectors.http import Http
from watersmeet.federation.errors import SourceUnavailable

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"fine": true}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not believe us is no error."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One certificate, which is its own authority, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "made.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(made.read_bytes() + (folder / "key.pem").read_bytes())
    return both


def serving(certificate: Path, *, wants_ours: bool) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if wants_ours:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    server = _Server(("127.0.0.1", 0), _Answer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(certificate: Path) -> Iterator[str]:
    yield from serving(certificate, wants_ours=False)


@pytest.fixture
def strict_server(certificate: Path) -> Iterator[str]:
    yield from serving(certificate, wants_ours=True)


def asked(url: str, **more: Any) -> Any:
    given = {"name": "lab", "platform": "marquez", "url": url, "http": {"retries": 0}, **more}
    http = Http.of(Source.model_validate(given))
    try:
        return http.get_json("/x")
    finally:
        http.close()


def test_an_unknown_authority_is_a_matter_of_the_settings(server: str):
    with pytest.raises(Misconfigured, match=r"its certificate is not believed \(self-signed certificate\).*under `ca`"):
        asked(server)


def test_a_named_authority_is_believed(server: str, certificate: Path):
    assert asked(server, ca=certificate) == {"fine": True}


def test_a_certificate_for_another_host_is_not(server: str, certificate: Path):
    with pytest.raises(Misconfigured, match="not believed"):
        asked(server.replace("127.0.0.1", "localhost"), ca=certificate)


def test_our_certificate_is_shown(strict_server: str, certificate: Path):
    assert asked(strict_server, ca=certificate, client_cert=certificate) == {"fine": True}
    with pytest.raises(SourceUnavailable):
        asked(strict_server, ca=certificate)
