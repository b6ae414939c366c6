"""Which names of places mean one place: aliases of hosts, and what the containers of catalogues stand for."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from ...config.errors import Misconfigured
from .namespace import Place, authority_of, place, ported
from .systems import System, system

_EXAMPLE = 'authorities: {snowflake/acme-prod: {aliases: ["acme-prod", "ab12345.us-west-2.aws"]}}'
_UNKNOWN = "unknown"

Entry = Any
"""One entry of the configuration: a mapping, or an object with the same names."""


@dataclass(frozen=True, slots=True)
class Authority:
    """One physical place under its one name; an empty name: a person said that nobody knows."""

    system: System
    name: str


@dataclass(frozen=True)
class Registry:
    """What the configuration says of places; the same content has the same fingerprint."""

    aliases: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    namespaces: Mapping[str, Authority] = field(default_factory=dict[str, Authority])
    patterns: tuple[tuple[str, Authority], ...] = ()
    containers: Mapping[tuple[str, ...], Authority] = field(default_factory=dict[tuple[str, ...], Authority])
    """(source, platform, instance, environment) of DataHub or (source, service) of OpenMetadata."""
    scoped: Mapping[str, Mapping[str, Authority]] = field(default_factory=dict[str, Mapping[str, Authority]])
    """Namespaces that mean a place in the events of one source only."""
    addresses: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Host and port of a configured source: its platform and its id."""
    fingerprint: str = ""

    EMPTY: ClassVar["Registry"]

    @staticmethod
    def of(
        authorities: Mapping[str, Entry] | Sequence[Entry] = (),
        bindings: Sequence[Entry] = (),
        sources: Iterable[Entry] = (),
    ) -> "Registry":
        """From `authorities` and `bindings` of the configuration; `sources` add the address of each MLflow server."""
        served = _addresses(sources)
        aliases = {("mlflow", address): name for address, (platform, name) in served.items() if platform == "mlflow"}
        aliases |= _aliases(authorities)
        scoped: dict[str, dict[str, Authority]] = {}
        containers: dict[tuple[str, ...], Authority] = {}
        for binding in bindings:
            _bind(binding, scoped, containers)
        everywhere = scoped.pop("", {})
        own = {(source, text): place_of for source, some in scoped.items() for text, place_of in some.items()}
        mark = _fingerprint(aliases, everywhere, containers, own)
        return Registry(aliases, *_patterned(everywhere), containers, scoped, served, mark)

    def within(self, source: str) -> "Registry":
        """What holds for the spellings of one source: bindings of its own go before those of all."""
        own = self.scoped.get(source)
        if own is None:
            return self
        exact, patterns = _patterned(own)
        return replace(self, namespaces={**self.namespaces, **exact}, patterns=patterns + self.patterns)

    def canonical(self, system: System, authority: str, hosts: tuple[str, ...] = ()) -> str:
        """The one name of an authority; of the hosts of a cluster the first that is known decides."""
        if not self.aliases:
            return authority
        for host in (authority, *hosts):
            known = self.aliases.get((system.name, host))
            if known is not None:
                return known
        return authority

    def bound(self, here: Place, namespace: str) -> Authority | None:
        """The authority that a person bound to an OpenLineage namespace."""
        if not self.namespaces and not self.patterns:
            return None
        known = self.namespaces.get(here.text) or self.namespaces.get(namespace)
        if known is not None:
            return known
        spelled = (here.text, namespace)
        return next((bound for text, bound in self.patterns if any(fnmatchcase(one, text) for one in spelled)), None)

    def instance(self, source: str, platform: str, instance: str, environment: str) -> Authority | None:
        """What a DataHub platform instance stands for; the environment may be left open by the binding."""
        for env in (environment.lower(), ""):
            known = self.containers.get((source, system(platform).name, instance, env))
            if known is not None:
                return known
        return None

    def instances(self, source: str, platform: str) -> tuple[str, ...]:
        """The names of the instances that are bound for a platform of a source, longest first."""
        name = system(platform).name
        found = {key[2] for key in self.containers if len(key) == 4 and key[:2] == (source, name) and key[2]}
        return tuple(sorted(found, key=lambda text: (-len(text), text)))

    def service(self, source: str, service: str) -> Authority | None:
        """What an OpenMetadata service stands for."""
        return self.containers.get((source, service))


Registry.EMPTY = Registry(fingerprint="")


def address_of(url: str) -> str:
    """Host and port of a source's address, as a namespace would spell them; empty if there are none."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2].lower()
    return ported(system(scheme), host) if host else ""


def _aliases(authorities: Mapping[str, Entry] | Sequence[Entry]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for name, aliases in _named(authorities):
        place_of = _authority(name, f"authorities: {name}")
        for alias in (place_of.name, *aliases):
            spelled = authority_of(place_of.system, str(alias)) or str(alias)
            for spelling in (spelled, str(alias)):
                before = found.setdefault((place_of.system.name, spelling), place_of.name)
                if before != place_of.name:
                    raise Misconfigured(
                        f"authorities: {alias!r} is an alias of both {place_of.system.name}/{before} and {name}; "
                        f"one place has one name. Example: {_EXAMPLE}"
                    )
    return found


def _named(authorities: Mapping[str, Entry] | Sequence[Entry]) -> Iterable[tuple[str, Sequence[str]]]:
    if isinstance(authorities, Mapping):
        for name in sorted(authorities):
            yield name, _get(authorities[name], "aliases") or ()
        return
    for entry in authorities:
        yield str(_get(entry, "name") or ""), _get(entry, "aliases") or ()


def _patterned(namespaces: Mapping[str, Authority]) -> tuple[dict[str, Authority], tuple[tuple[str, Authority], ...]]:
    """Namespaces written out, and patterns of them, the longest first."""
    exact = {text: bound for text, bound in namespaces.items() if "*" not in text}
    patterns = [(text, bound) for text, bound in namespaces.items() if "*" in text]
    return exact, tuple(sorted(patterns, key=lambda one: (-len(one[0]), one[0])))


def _bind(
    binding: Entry, scoped: dict[str, dict[str, Authority]], containers: dict[tuple[str, ...], Authority]
) -> None:
    bound = _authority(str(_get(binding, "authority") or ""), f"bindings: {binding!r}")
    namespace, service = _get(binding, "openlineage"), _get(binding, "service")
    source, platform = _get(binding, "source"), _get(binding, "platform")
    if namespace:
        text = namespace if "*" in namespace else place(namespace).text
        scoped.setdefault(str(source or ""), {})[text] = bound
    elif source and service:
        containers[source, service] = bound
    elif source and platform:
        environment = str(_get(binding, "env") or "").lower()
        containers[source, system(platform).name, str(_get(binding, "instance") or ""), environment] = bound
    elif source:
        container = next((name for name in ("workspace", "metastore") if _get(binding, name)), "")
        containers[source, container, str(_get(binding, container) or "") if container else ""] = bound
    else:
        raise Misconfigured(
            f"bindings: {binding!r} binds nothing; it takes `openlineage`, or `source` and its container. "
            'Example: {openlineage: "snowflake://acme-prod", authority: snowflake/acme-prod}'
        )


def _authority(text: str, where: str) -> Authority:
    kind, slash, name = text.partition("/")
    if text == _UNKNOWN:
        return Authority(system(""), "")
    if not (kind and slash and name):
        raise Misconfigured(f"{where}: {text!r} is no authority, which is written system/name. Example: {_EXAMPLE}")
    return Authority(system(kind), name)


def _addresses(sources: Iterable[Entry]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for source in sources:
        address = address_of(str(_get(source, "url") or ""))
        if address:
            found.setdefault(address, (str(_get(source, "platform")), str(_get(source, "id") or _get(source, "name"))))
    return found


def _get(entry: Entry, name: str) -> Any:
    if isinstance(entry, Mapping):
        return entry.get(name)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # configuration
    return getattr(entry, name, None)


def _fingerprint(*tables: Mapping[Any, Any]) -> str:
    told = [sorted([_plain(key), _plain(value)] for key, value in table.items()) for table in tables]
    if not any(told):
        return ""
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, Authority):
        return f"{value.system.name}/{value.name}"
    return value if isinstance(value, str) else json.dumps(value)
