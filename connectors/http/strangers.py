"""Who is asked for what a platform hands out by address: hosts beside its own, with nothing of ours in the request."""

import ssl
from collections.abc import Callable, Iterable

import httpx2

from ...federation.errors import SourceRefused
from .address import origin
from .egress import Also, Resolve, is_here, near, never
from .pinned import Judge

Opening = Callable[[ssl.SSLContext, Judge, dict[str, str]], httpx2.Client]
"""Makes a client that connects only where the judge lets it."""
_HEADERS = {"Accept-Encoding": "gzip"}


class Strangers:
    """`listed` are patterns of hosts, which are asked over https. Where the source itself is on this machine over http,
    an address of this machine (`http://127.0.0.1:9000`) may be among them, and is asked as it is written."""

    def __init__(
        self,
        base: httpx2.URL,
        listed: Iterable[str],
        source: str,
        resolve: Resolve,
        opened: Opening,
        context: Callable[[], ssl.SSLContext],
    ) -> None:
        entries = tuple(listed)
        self._source = source
        self._here = frozenset(origin(near(one, base, source)) for one in entries if "://" in one)
        self._also = Also(base, [one for one in entries if "://" not in one], resolve)
        self._far = opened(context(), self._also.place_objection, _HEADERS) if entries else None
        # Another client: a name that leads to this machine stays refused, only what is written so is not.
        self._close = opened(context(), never, _HEADERS) if self._here else None

    def asked_for(self, url: httpx2.URL) -> httpx2.Client:
        """The client that may ask for an address. Raises `SourceRefused`."""
        if self._close is not None and origin(url) in self._here and is_here(url) and not url.userinfo:
            return self._close
        objection = self._also.objection(url)
        if objection is not None or self._far is None:
            reason = objection or "no host is listed under `also`"
            raise SourceRefused(
                f"{self._source}: {url.host} is not asked: {reason}. List it under `also` of the source"
            )
        return self._far

    def close(self) -> None:
        """Give back connections."""
        for one in (self._far, self._close):
            if one is not None:
                one.close()
