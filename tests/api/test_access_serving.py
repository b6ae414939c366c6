"""Beyond this machine: only with a token in force, and with a certificate that is good."""

import re
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from watersmeet.api.access import Role, make
from watersmeet.api.server import serve
from watersmeet.api.tls import Certificate
from watersmeet.config.settings import Misconfigured, Settings, Tls
from watersmeet.federation.clock import utcnow
from watersmeet.federation.store import Store

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")


def settings(folder: Path, **server: object) -> Settings:
    return Settings.of({"store": {"url": f"sqlite:///{folder / 'store.db'}"}, "server": {"port": 0, **server}})


def certificate(folder: Path, name: str) -> Tls:
    """A certificate for 127.0.0.1 that is its own authority."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    return Tls(cert=cert, key=key)


def ended(folder: Path) -> Tls:
    """One whose time was over yesterday."""
    key, asked, cert = (folder / f"over.{end}" for end in ("key", "csr", "pem"))
    command = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=over", "-keyout", key, "-out", asked]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    command = ["openssl", "x509", "-req", "-in", asked, "-signkey", key, "-days", "-1", "-out", cert]
    subprocess.run(command, check=True, capture_output=True)
    return Tls(cert=cert, key=key)


def test_a_server_for_others_does_not_start_without_a_token_in_force(tmp_path: Path):
    wanted = settings(tmp_path, host="0.0.0.0", plaintext=True)
    with pytest.raises(Misconfigured, match=r"server\.host.*watersmeet token create"):
        serve(wanted)
    with Store.open(wanted.store.url) as store:
        _text, row = make("x", Role.ADMIN, utcnow())
        store.tokens.create(row, by="tests")
        store.tokens.revoke(row.id, by="tests")
    with pytest.raises(Misconfigured, match="no token is in force"):
        serve(wanted)


@needs_openssl
def test_what_is_wrong_with_a_certificate_is_told_at_the_start(tmp_path: Path):
    good, other = certificate(tmp_path, "good"), certificate(tmp_path, "other")
    over = ended(tmp_path)
    (tmp_path / "none.pem").write_text("nothing")
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkcs8", "-topk8", "-in", str(good.key), "-out", str(locked), "-passout", "pass:x"]
    subprocess.run(command, check=True, capture_output=True)
    locked.chmod(0o600)
    open_key = tmp_path / "open.key"
    shutil.copy(str(good.key), open_key)
    open_key.chmod(0o644)
    wrong = {
        "cannot be read": Tls(cert=tmp_path / "absent.pem", key=good.key),
        "is not the key of": Tls(cert=good.cert, key=other.key),
        "expired": over,
        "hold no certificate": Tls(cert=tmp_path / "none.pem", key=good.key),
        "needs a password": Tls(cert=good.cert, key=locked),
        "by every user": Tls(cert=good.cert, key=open_key),
    }
    for reason, tls in wrong.items():
        with pytest.raises(Misconfigured, match=reason) as caught:
            Certificate(tls)
        assert "server.tls" in str(caught.value)
    assert Certificate(good).context.minimum_version == ssl.TLSVersion.TLSv1_2


@needs_openssl
def test_a_renewed_certificate_is_shown_and_a_spoiled_one_is_not(tmp_path: Path):
    tls, next_one = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    assert tls.cert is not None
    assert tls.key is not None
    assert next_one.cert is not None
    assert next_one.key is not None
    shown = Certificate(tls)
    assert not shown.renew()
    tls.cert.write_text("spoiled")
    assert not shown.renew()
    shutil.copy(next_one.cert, tls.cert)
    shutil.copy(next_one.key, tls.key)
    assert shown.renew()


@needs_openssl
@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is no request there")
def test_a_real_server_speaks_tls_and_asks_for_a_token(tmp_path: Path):
    tls = certificate(tmp_path, "lab")
    file = tmp_path / "watersmeet.yaml"
    file.write_text(
        f"store: {{url: 'sqlite:///{tmp_path / 'store.db'}'}}\n"
        f"server: {{host: 0.0.0.0, port: 0, tls: {{cert: '{tls.cert}', key: '{tls.key}'}}}}\n"
    )
    run = [sys.executable, "-m", "watersmeet.api.cli", "--config", str(file)]
    made = subprocess.run(
        [*run, "token", "create", "x", "--role", "viewer"], check=True, capture_output=True, text=True
    )
    text = made.stdout.splitlines()[0]
    server = subprocess.Popen([*run, "serve"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"https://0\.0\.0\.0:(\d+)", server.stdout.readline())
        assert found is not None
        address = f"https://127.0.0.1:{found[1]}"
        trusting = ssl.create_default_context(cafile=str(tls.cert))
        with httpx2.Client(verify=trusting, trust_env=False, timeout=60) as client:
            body = {"query": "{ sources { name } }"}
            assert client.post(f"{address}/graphql", json=body).status_code == 401
            headers = {"authorization": f"Bearer {text}", "origin": address}
            assert client.post(f"{address}/graphql", json=body, headers=headers).json()["data"]
    finally:
        server.send_signal(signal.SIGTERM)
        _out, err = server.communicate(timeout=60)
    assert server.returncode == 0, err
    assert text not in err
