"""Where the server listens, and what one request may cost it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from .address import is_host
from .reach import Networks, Tls, reach
from .section import Conflict, Section, wrong
from .sources import Name
from .values import Duration, Size, Text, Texts


def _hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for position, host in enumerate(hosts):
        if not is_host(host):
            raise wrong(f"has something else than a host at place {position + 1}: no scheme, no path, no pattern")
    return tuple(host.lower() for host in hosts)


class Limits(Section):
    """What one GraphQL request, and all of them together, may ask for; whatever is beyond is refused."""

    depth: int = Field(default=20, ge=1, le=1000, examples=[20])
    """How deep fields may stand in one another."""
    cost: int = Field(default=1000, ge=1, examples=[1000])
    """What all walks and lists of a query may cost together."""
    aliases: int = Field(default=30, ge=1, examples=[30])
    """How many aliases a query may have."""
    directives: int = Field(default=30, ge=1, examples=[30])
    """How many directives a query may have."""
    fragments: int = Field(default=50, ge=1, examples=[50])
    """How many fragments a query may define, and how often it may name one."""
    tokens: int = Field(default=5000, ge=10, examples=[5000])
    """How many words and signs a query may have."""
    body_bytes: Size = Field(default=2**20, ge=1024, examples=["1 MiB"])
    """How large a request may be, and a message over a WebSocket."""
    batch: int = Field(default=10, ge=1, le=1000, examples=[10])
    """How many queries one request may hold."""
    time: Duration = Field(default=timedelta(seconds=20), examples=["20s"])
    """How long a query may take."""
    page: int = Field(default=10_000, ge=1, le=100_000, examples=[10_000])
    """The most that `first` may ask for."""
    answer: int = Field(default=500_000, ge=100, examples=[500_000])
    """How many objects an answer may hold."""
    items: int = Field(default=1000, ge=1, le=4000, examples=[1000])
    """How many items a list in the arguments may hold."""
    text: int = Field(default=8192, ge=64, le=40_000, examples=[8192])
    """How many characters a text in the arguments may have."""
    values: int = Field(default=10_000, ge=1, examples=[10_000])
    """How many values the variables may hold in all."""
    nesting: int = Field(default=10, ge=1, le=100, examples=[10])
    """How deep lists and objects in the arguments may stand in one another."""
    queries: int = Field(default=200, ge=1, examples=[200])
    """How many queries may be answered or wait for it at once."""
    connections: int = Field(default=100, ge=1, examples=[100])
    """How many WebSockets may be open."""
    connections_per_client: int = Field(default=50, ge=1, examples=[50])
    """How many of them one address may have open."""
    subscriptions: int = Field(default=500, ge=1, examples=[500])
    """How many operations may go on at once over all WebSockets."""
    subscriptions_per_connection: int = Field(default=20, ge=1, examples=[20])
    """How many of them on one WebSocket."""
    init: Duration = Field(default=timedelta(seconds=10), examples=["10s"])
    """How long a WebSocket may be silent before it says `connection_init`."""
    introspection: bool = Field(default=True, examples=[True])
    """Whether the schema may be asked for; if not, errors suggest no names either."""


class Server(Section):
    """Where the server listens, and who may reach it. Without tokens that is this machine alone."""

    host: Text = Field(default="127.0.0.1", examples=["127.0.0.1"])
    """The address it binds."""
    port: int = Field(default=8765, ge=0, le=65_535, examples=[8765])
    """The port it binds; 0 takes a free one."""
    allowed_hosts: Annotated[Texts, AfterValidator(_hosts)] = Field(default=(), examples=[["watersmeet.test:8765"]])
    """Further values of `Host` that count as this server."""
    tls: Tls = Field(default=Tls(), examples=[{"cert": "./server.pem", "key": "./server.key"}])
    """The certificate that it shows."""
    plaintext: bool = Field(default=False, examples=[False])
    """Whether it may be reached from other machines without a certificate of its own."""
    trusted_proxies: Networks = Field(default=(), examples=[["10.0.0.5"]])
    """Peers whose X-Forwarded-For is believed: the audit log and the limit on failures then know the client."""
    local_without_token: bool = Field(default=False, examples=[False])
    """Whether this machine needs no token even where there are some."""
    failures: int = Field(default=30, ge=1, le=100_000, examples=[30])
    """How many wrong tokens one address may show in a minute."""
    console: bool = Field(default=True, examples=[True])
    """Whether the page for asking by hand is there."""
    connections: int = Field(default=500, ge=10, le=100_000, examples=[500])
    """How many connections may be open at once."""
    silence: Duration = Field(default=timedelta(seconds=30), examples=["30s"])
    """How long a connection may take to say what it wants."""
    limits: Limits = Field(default=Limits(), examples=[{"cost": 1000}])
    """What one request may cost."""

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """An open door that nobody meant."""
        yield from reach(given)


class Inlet(Section):
    """The built-in source that takes posted OpenLineage events."""

    platform: ClassVar[str] = "openlineage"
    name: Name = Field(default="inlet", examples=["inlet"])
    """What people call it."""
    id: Name = Field(default="inlet", examples=["inlet"])
    """Owns what was posted, and never changes."""
    wire_bytes: Size = Field(default=32 * 2**20, ge=1024, examples=["32 MiB"])
    """How large a request may be as it arrives."""
    inflated_bytes: Size = Field(default=128 * 2**20, ge=1024, examples=["128 MiB"])
    """How large it may be once it is unpacked."""
    batch: int = Field(default=1000, ge=1, le=100_000, examples=[1000])
    """How many events one request may hold."""
    nesting: int = Field(default=100, ge=10, le=500, examples=[100])
    """How deep an event's objects and lists may stand in one another."""
    strict: bool = Field(default=False, examples=[True])
    """True: an event with a facet that is not as it should be is refused (422); else the facet alone is kept aside."""
    arrival: Duration = Field(default=timedelta(seconds=60), examples=["60s"])
    """How long a request may take to arrive."""

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """An inlet that could never unpack what it lets in."""
        wire, inflated = given.get("wire_bytes"), given.get("inflated_bytes")
        if isinstance(wire, int) and isinstance(inflated, int) and inflated < wire:
            yield Conflict(("inflated_bytes",), "is smaller than wire_bytes", f"inflated_bytes: {wire * 4}")
