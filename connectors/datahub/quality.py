"""What assertions, their results and incidents become."""

from collections.abc import Iterable

from ...federation.model import AssetKind, Json
from .facets import describe
from .saying import Aspect, Place, Saying, Told
from .wire import field, kept, moment, stamped, text


def assertion(aspect: Aspect, place: Place) -> Told:
    """`assertionInfo`: what is checked, and by which rule."""
    saying = Saying(aspect, place)
    describe(saying)
    saying.subtype = text(aspect.value, "type")
    saying.relate()
    saying.name = saying.name or saying.description or _rule(saying)  # its URN is a hash
    return saying.told()


def _rule(saying: Saying) -> str | None:
    """`not_null on customer_id`: the rule as its tool calls it, and the narrowest thing that it judges."""
    info = saying.aspect.value
    rule = next((field(info, name) for name in info if name.endswith("Assertion")), None)
    named = text(rule, "nativeType") or text(rule, "operator") or saying.subtype
    judged = sorted(saying.others.values(), key=lambda one: one.kind is not AssetKind.COLUMN)
    return f"{named} on {judged[0].name}" if named and judged else None


def results(aspect: Aspect, place: Place, events: Iterable[Json]) -> Told:
    """`assertionRunEvent`: the newest result, on the assertion."""
    saying = Saying(aspect, place)
    saying.is_series = True
    newest: Json = max(events, key=lambda one: field(one, "timestampMillis") or 0, default=None)
    result = field(newest, "result")
    at = moment(field(newest, "timestampMillis"))
    saying.facets["result"] = {
        "state": text(result, "type") or text(newest, "status"),
        "at": at.isoformat() if at else None,
        "run": text(newest, "runId"),
        "native": kept(field(result, "nativeResults")),
    }
    return saying.told()


def incident(aspect: Aspect, place: Place) -> Told:
    """`incidentInfo`: what is wrong with which things."""
    saying = Saying(aspect, place)
    describe(saying)
    saying.created_at = stamped(aspect.value, "created")
    state = text(field(aspect.value, "status"), "state")
    if state:
        saying.facets["result"] = {"state": state}
    saying.relate()
    return saying.told()
