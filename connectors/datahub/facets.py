"""Owners, tags, terms and the other things that people attach: facets of what they are attached to."""

from ...federation.model import AssetKind, Edge, EdgeKind, Form, Json, Spelling
from .saying import Aspect, Place, Saying, Told
from .urn import BadUrn, urn
from .wire import field, moment, objects, stamped, text, texts

_DATED = ("created", "createdAt", "createdOn", "startedAt")
_NAMES = ("name", "title", "displayName", "fullName")
_MEANINGS = ("description", "definition", "about")


def governed(value: Json) -> dict[str, Json]:
    """The tags and terms that an aspect, or a field in it, carries."""
    facets: dict[str, Json] = {}
    tags = _tags(field(value, "globalTags"))
    terms = _terms(field(value, "glossaryTerms"))
    return facets | ({"tags": tags} if tags else {}) | ({"terms": terms} if terms else {})


def properties(aspect: Aspect, place: Place) -> Told:
    """The aspect that says what an entity is called and is for: `…Properties`, `…Info`."""
    saying = Saying(aspect, place)
    describe(saying)
    saying.relate()
    return saying.told()


def describe(saying: Saying) -> None:
    """Name, description, page and times, under whichever of their names."""
    value = saying.aspect.value
    saying.name = next((told for name in _NAMES if (told := text(value, name))), None)
    saying.description = next((told for name in _MEANINGS if (told := text(value, name))), None)
    saying.url = text(value, "externalUrl") or text(value, "chartUrl") or text(value, "dashboardUrl")
    # Charts and dashboards keep both stamps in one.
    stamps = field(value, "lastModified")
    saying.created_at = next(
        (at for name in _DATED if (at := stamped(value, name) or moment(field(value, name)))), None
    ) or stamped(stamps, "created")
    saying.updated_at = stamped(value, "lastModified") or stamped(stamps, "lastModified")
    saying.facets |= governed(value)


def edited(aspect: Aspect, place: Place) -> Told:
    """`editable…Properties`: a description that a person wrote."""
    saying = Saying(aspect, place)
    saying.name = text(aspect.value, "name") or text(aspect.value, "title")
    saying.description = text(aspect.value, "description")
    return saying.told()


def ownership(aspect: Aspect, place: Place) -> Told:
    """Who answers for it, and as what."""
    saying = Saying(aspect, place)
    owners: list[Json] = []
    for raw in objects(aspect.value, "owners"):
        role = _label(field(raw, "typeUrn")) or text(raw, "type")
        owners.append({"name": _label(field(raw, "owner"))} | ({"role": role} if role else {}))
    saying.facets["owners"] = [one for one in owners if one["name"]]
    return saying.told()


def tags(aspect: Aspect, place: Place) -> Told:
    """`globalTags`."""
    saying = Saying(aspect, place)
    saying.facets["tags"] = _tags(aspect.value)
    return saying.told()


def terms(aspect: Aspect, place: Place) -> Told:
    """`glossaryTerms`."""
    saying = Saying(aspect, place)
    saying.facets["terms"] = _terms(aspect.value)
    return saying.told()


def links(aspect: Aspect, place: Place) -> Told:
    """`institutionalMemory`: pages that people linked."""
    saying = Saying(aspect, place)
    listed = ((text(one, "description"), text(one, "url")) for one in objects(aspect.value, "elements"))
    saying.facets["links"] = [{"name": name or url, "url": url} for name, url in listed if url]
    return saying.told()


def subtypes(aspect: Aspect, place: Place) -> Told:
    """`subTypes`: what the platform calls it. A container may turn out to be an experiment."""
    saying = Saying(aspect, place)
    named = texts(aspect.value, "typeNames")
    saying.subtype = named[0] if named else None
    if aspect.urn.type == "container" and any("experiment" in one.lower() for one in named):
        saying.kind = AssetKind.EXPERIMENT
    return saying.told()


def container(aspect: Aspect, place: Place) -> Told:
    """`container`: a run is part of its experiment; a database or a schema is only where a thing lies."""
    saying = Saying(aspect, place)
    if aspect.urn.type in ("dataProcessInstance", "mlModel", "mlModelGroup"):
        around = saying.end(field(aspect.value, "container"), "container")
        if around is not None:
            saying.add(Edge(saying.native_id, around.text, EdgeKind.PART_OF))
    return saying.told()


def siblings(aspect: Aspect, place: Place) -> Told:
    """`siblings`: the same thing under another platform's name, which is evidence of identity and no lineage."""
    saying = Saying(aspect, place)
    for number, one in enumerate(texts(aspect.value, "siblings")):
        found = saying.end(one, f"siblings/{number}")
        if found is not None and found.type == "dataset":
            saying.spellings.append(Spelling(Form.URN, (found.text, place.source, "sibling")))
    return saying.told()


def other(aspect: Aspect, place: Place) -> Told:
    """Everything else is kept as it is, with what the table of relations finds in it."""
    saying = Saying(aspect, place)
    saying.relate()
    return saying.told()


def _tags(value: Json) -> list[Json]:
    named = (_label(field(one, "tag")) for one in objects(value, "tags"))
    return [{"key": name} for name in dict.fromkeys(named) if name]


def _terms(value: Json) -> list[Json]:
    named = (_label(field(one, "urn")) for one in objects(value, "terms"))
    return [{"name": name} for name in dict.fromkeys(named) if name]


def _label(value: Json) -> str | None:
    """What a URN calls a person, a tag, a term; a text that is no URN as it is."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return urn(value).label
    except BadUrn:
        return value
