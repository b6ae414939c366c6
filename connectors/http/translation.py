"""What an answer, or its lack, means for the operator: what, where, what to do."""

import ssl
from collections.abc import Callable, Iterable

import httpx2

from ...config.errors import Misconfigured
from ...federation.clock import Clock
from ...federation.errors import WatersmeetError
from ...federation.model import Json
from .address import origin, where_of
from .answer import Answer, CutOff, NotJson, Page, TooLarge
from .redaction import address, excerpt
from .trouble import (
    Absent,
    Denied,
    Redirected,
    Rejected,
    Trouble,
    changed,
    failing,
    too_much,
    unavailable,
)

_PASSING = (408, 425, 429, 500, 502, 503, 504)
_PRESSED = (429, 503)


class Translation:
    """Speaks of one source. Whatever it quotes is scrubbed."""

    def __init__(
        self,
        source: str,
        secrets: Callable[[], Iterable[str]],
        clock: Clock,
        lasting: Iterable[str] = (),
    ) -> None:
        """`lasting`: words in an answer of 500 and more which say that asking again does not help."""
        self._source = source
        self._secrets = secrets
        self._clock = clock
        self._lasting = tuple(word.encode() for word in lasting)

    def judged(self, where: str, answer: Answer) -> Answer:
        """The answer, if it is a good one. Raises `SourceError`, or `Trouble` where another try may help."""
        status = answer.status
        if 200 <= status < 300:
            return answer
        told = self._quoted(answer)
        if status in _PASSING or status >= 500:
            raise Trouble(
                f"{self._source}: {status} on {where}{told}",
                failing(answer),
                self._clock(),
                passing=status in _PASSING and not any(word in answer.body for word in self._lasting),
                pressed=status in _PRESSED,
                retry_after=answer.retry_after(self._clock()),
            )
        raise self._refusal(where, answer, told)

    def _refusal(self, where: str, answer: Answer, told: str) -> WatersmeetError:
        here, sample = f"{self._source}: {answer.status} on {where}", self._excerpt(answer)
        match answer.status:
            case 401 if not list(self._secrets()):
                return Denied(
                    f"{here}{told}. It wants to know who asks: give the source a token, or username and password",
                    answer,
                )
            case 401:
                return Denied(
                    f"{here}{told}. The credential is not accepted (expired, or of another kind): renew it", answer
                )
            case 403:
                return Denied(f"{here}{told}. The credential may not read this: grant it, or configure another", answer)
            case 407:
                return Denied(f"{here}{told}. A proxy in front wants a credential of its own", answer)
            case 404 | 410:
                return Absent(
                    f"{here}{told}. It is not there: look at the url, with its prefix, and the platform's version",
                    answer,
                    sample,
                )
            case _:
                return Rejected(
                    f"{here}{told}. The platform does not understand the question: its version may be another",
                    answer,
                    sample,
                )

    def json(self, where: str, answer: Answer, nesting: int) -> Json:
        """The answer as JSON. Raises `SourceError`, or `Trouble` where it may have been cut off."""
        try:
            return answer.json(nesting)
        except Page as page:
            raise self._page(where, answer, page) from page
        except (CutOff, NotJson) as error:
            raise self.unreadable(where, error, answer) from error

    def taken(self, where: str, answer: Answer) -> Answer:
        """The answer of who took something. Raises `SourceError` for a page: a sign-on in front has taken nothing."""
        if answer.is_page():
            raise self._page(where, answer, Page(is_sign_on=answer.asks_who()))
        return answer

    def _page(self, where: str, answer: Answer, page: Page) -> WatersmeetError:
        told = self._quoted(answer)
        if page.is_sign_on:
            remedy = "A sign-on stands in front: give the source a credential that passes it, or an address behind it"
            return Denied(f"{self._source}: a page to sign in instead of JSON on {where}{told}. {remedy}", answer)
        remedy = "Look at the url: it may lack a prefix, or lead to the web page instead of the API"
        return Rejected(
            f"{self._source}: a web page instead of JSON on {where}{told}. {remedy}", answer, self._excerpt(answer)
        )

    def unreadable(self, where: str, error: CutOff | NotJson | TooLarge, answer: Answer | None = None) -> Trouble:
        """An answer of which we cannot make anything."""
        here = f"{self._source}: {where}"
        match error:
            case TooLarge():
                message = (
                    f"{here}: the answer is larger than what is taken ({error}): raise http.page_bytes, or ask for less"
                )
                return Trouble(message, too_much, self._clock(), passing=False)
            case CutOff():
                return Trouble(f"{here}: the answer was cut off ({error})", unavailable, self._clock())
            case NotJson():
                sample = self._excerpt(answer) if answer is not None else ""
                return Trouble(
                    f"{here}: the answer is no JSON that we take: {error}",
                    changed(sample),
                    self._clock(),
                    passing=False,
                )

    def broken(self, where: str, base: httpx2.URL, error: httpx2.TransportError) -> Trouble | WatersmeetError:
        """No answer, or the end of one."""
        here = f"{self._source}: {where} on {base.host}"
        if _is_untrusted(error):
            return Misconfigured(
                f"{here}: its certificate is not believed ({_verdict(error)}). Name its authority under `ca`"
            )
        match error:
            case httpx2.ConnectTimeout() | httpx2.ConnectError():
                port = origin(base)[2]
                message = (
                    f"{here}: nobody answers on port {port} ({_words(error)}). Check url, and that the platform runs"
                )
                return Trouble(message, unavailable, self._clock())
            case httpx2.TimeoutException():
                return self.too_slow(where)
            case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
                return Trouble(f"{here}: {_words(error)}", changed(""), self._clock(), passing=False)
            case _:
                return Trouble(f"{here}: the connection broke off ({_words(error)})", unavailable, self._clock())

    def too_slow(self, where: str) -> Trouble:
        """An answer that did not come, or not to its end, in time."""
        message = f"{self._source}: no answer in time on {where}. Raise http.timeout, or ask for less"
        return Trouble(message, too_much, self._clock(), slow=True)

    def sent_on_to(self, base: httpx2.URL, method: str, url: httpx2.URL, status: int, location: str) -> httpx2.URL:
        """Where a redirect leads, if we may follow it. Raises `SourceError`."""
        where = where_of(method, url)
        try:
            target = url.join(location)
        except httpx2.InvalidURL as error:
            raise self.elsewhere(where, status, "an address that is none", location) from error
        if origin(target) != origin(base) or (method != "GET" and status not in (307, 308)):
            raise self.elsewhere(where, status, address(target.copy_with(query=None)), location)
        return target

    def elsewhere(self, where: str, status: int, target: str, location: str) -> Redirected:
        """We are sent to where we do not go."""
        remedy = "Is it the platform's own address, write it as url; is it a sign-on, give the source a credential"
        return Redirected(
            f"{self._source}: {status} on {where} leads to {target}, where no request is sent. {remedy}", location
        )

    def endless(self, where: str, answer: Answer) -> Rejected:
        """Sent on again and again."""
        return Rejected(
            f"{self._source}: {where} is sent on again and again. Look at the url and what stands in front", answer
        )

    def _quoted(self, answer: Answer) -> str:
        words = self._excerpt(answer)
        return f" ({words})" if words else ""

    def _excerpt(self, answer: Answer) -> str:
        return excerpt(answer.body, self._secrets())


def _causes(error: BaseException) -> Iterable[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_untrusted(error: httpx2.TransportError) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)) or (
        "CERTIFICATE_VERIFY_FAILED" in str(error)
    )


def _verdict(error: httpx2.TransportError) -> str:
    found = next((one for one in _causes(error) if isinstance(one, ssl.SSLCertVerificationError)), None)
    return found.verify_message if found is not None else _words(error)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
