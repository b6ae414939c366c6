"""The object store beside the miniature: another host, addresses that are signed and expire, no use for a W&B key."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from ..loopback import Loopback

_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'


@dataclass(frozen=True, slots=True)
class Fetched:
    """One call that arrived."""

    path: str
    authorization: str | None
    method: str = "GET"


class Storage(Loopback):
    """Gives out what `find` finds for a path, and gives to `keep` what is put there, for whoever has an address that
    was signed and is still good."""

    platform = "an object store"

    def __init__(
        self,
        find: Callable[[str], bytes | None],
        clock: Callable[[], float],
        keep: Callable[[str, bytes], None],
        lasts: float = 60.0,
    ) -> None:
        super().__init__()
        self._find = find
        self._keep = keep
        self._clock = clock
        self._signed: dict[str, tuple[str, float]] = {}
        self.lasts = lasts
        """For how many seconds an address is good."""
        self.calls: list[Fetched] = []

    def sign(self, path: str) -> str:
        """An address that works for a while."""
        signature = uuid4().hex
        self._signed[signature] = (path, self._clock() + self.lasts)
        return f"{self.url}/{quote(path)}?X-Amz-Expires={self.lasts:.0f}&X-Amz-Signature={signature}"

    def expire(self) -> None:
        """All addresses that were given out are good no more."""
        self._signed = {signature: (path, 0.0) for signature, (path, _) in self._signed.items()}

    async def answer(self, request: Request) -> Response:
        """The file, or XML that says why not."""
        self.calls.append(Fetched(request.url.path, request.headers.get("authorization"), request.method))
        if "authorization" in request.headers:
            return _refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        path, until = self._signed.get(request.query_params.get("X-Amz-Signature", ""), ("", 0.0))
        if f"/{path}" != request.url.path:
            return _refused(403, "SignatureDoesNotMatch", "The signature does not match")
        if until <= self._clock():
            return _refused(403, "AccessDenied", "Request has expired")
        if request.method == "PUT":
            self._keep(path, await request.body())
            return Response(b"", 200)
        found = self._find(path)
        if found is None:
            return _refused(404, "NoSuchKey", "The specified key does not exist.")
        return Response(found, media_type="application/octet-stream")


def _refused(status: int, code: str, message: str) -> Response:
    return Response(_ERROR.format(code=code, message=message), status, media_type="application/xml")
