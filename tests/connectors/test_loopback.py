"""The server that every miniature is."""

import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from watersmeet.connectors.marquez.sandbox import Sandbox


def test_a_caller_that_is_killed_in_the_middle_of_a_request_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:
        place = urlsplit(sandbox.url)
        with socket.create_connection((place.hostname, place.port)) as cut_off:
            cut_off.sendall(b'POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"eventType": ')
        assert httpx2.get(f"{sandbox.url}/api/v1/namespaces", trust_env=False).status_code == 200
    said = capfd.readouterr()
    assert "Exception" not in said.out + said.err
