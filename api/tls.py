"""The server's certificate: checked before it is shown, and read again when its files change."""

import asyncio
import os
import ssl
import stat
from pathlib import Path

import structlog

from ..config.errors import Misconfigured
from ..config.settings import Tls

_LOOK = 10.0
"""Seconds between looks at the files."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of 1.3 are all good."""
_log = structlog.get_logger(__name__)


class Certificate:
    """One context for all connections; what it shows can change while it is used."""

    def __init__(self, tls: Tls) -> None:
        """Raises `Misconfigured` with what is wrong with the files."""
        assert tls.cert is not None
        self._cert, self._key = tls.cert, tls.key or tls.cert
        self.context = _context(self._cert, self._key)
        self._seen = self._stamps()

    async def follow(self) -> None:
        """Show a renewed certificate to new connections; until this is cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            await asyncio.to_thread(self.renew)

    def renew(self) -> bool:
        """Read the files again if they changed; what is wrong with them is told in the log, and the old one stays."""
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        try:
            _context(self._cert, self._key)
            self.context.load_cert_chain(self._cert, self._key, password=_no_password)
        except (Misconfigured, OSError) as error:
            _log.error("the new certificate cannot be used, the old one stays", reason=str(error))
            return False
        _log.info("the certificate was read again", cert=str(self._cert))
        return True

    def _stamps(self) -> tuple[int, ...]:
        found = list[int]()
        for file in (self._cert, self._key):
            try:
                at = os.stat(file)
            except OSError:
                continue
            found += [at.st_mtime_ns, at.st_ino, at.st_size]
        return tuple(found)


def _context(cert: Path, key: Path) -> ssl.SSLContext:
    """A context that shows the certificate. Raises `Misconfigured`."""
    for name, file in (("cert", cert), ("key", key)):
        _check_file(f"server.tls.{name}", file, private=file == key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        raise Misconfigured(_unusable(error, cert, key)) from error
    _check_time(context, cert)
    return context


def _check_file(name: str, file: Path, *, private: bool) -> None:
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
    except OSError as error:
        raise Misconfigured(
            f"{name}: {file} cannot be read ({error.strerror}): correct the path, or its rights"
        ) from error
    if private and os.name == "posix" and mode & (stat.S_IROTH | stat.S_IWOTH):
        raise Misconfigured(f"{name}: {file} can be read by every user of this machine: chmod 600 {file}")


def _unusable(error: ssl.SSLError, cert: Path, key: Path) -> str:
    reason: str | None = getattr(error, "reason", None)  # an error that Python itself makes has none
    if reason == "KEY_VALUES_MISMATCH":
        return f"server.tls.key: {key} is not the key of {cert}: name the key that the certificate was made with"
    if "password" in str(error).lower() or reason in ("BAD_PASSWORD_READ", "BAD_DECRYPT"):
        return f"server.tls.key: {key} needs a password: keep it without one, readable by this user alone"
    return (
        f"server.tls: {cert} and {key} hold no certificate with its key in PEM ({reason or 'unreadable'}): "
        "name the files as the authority gave them"
    )


def _no_password() -> str:
    """Nobody is there to be asked for one."""
    raise ssl.SSLError("the key needs a password")


def _check_time(context: ssl.SSLContext, cert: Path) -> None:
    """Let a client that believes this certificate alone look at it: it says if its time is over, or not yet come."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(cert)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured(
                f"server.tls.cert: {cert} is not good ({error.verify_message}): renew it, or set this machine's clock"
            ) from error
