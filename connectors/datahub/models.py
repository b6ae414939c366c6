"""What registered models, their versions, training data and version sets become."""

from ...federation.model import AssetKind, Edge, EdgeKind, Record
from .facets import describe
from .jobs import measured, tracked
from .saying import Aspect, Place, Saying, Told
from .urn import BadUrn, read
from .wire import field, objects, stamped, text, texts


def model(aspect: Aspect, place: Place) -> Told:
    """`mlModelGroupProperties`: a registered model."""
    saying = Saying(aspect, place)
    describe(saying)
    if aspect.urn.platform == "mlflow":
        saying.spellings += tracked("mlflow", "model", aspect.urn.label, place)
    saying.relate()
    return saying.told()


def version(aspect: Aspect, place: Place) -> Told:
    """`mlModelProperties`: a version of a model, its features, its runs, its deployments."""
    saying = Saying(aspect, place)
    describe(saying)
    saying.facets |= measured(aspect.value)
    if aspect.urn.platform == "mlflow":
        for group in _groups(aspect):
            number = aspect.urn.label.removeprefix(group)[1:]
            # DataHub writes `<model>_<version>`; the separator can be configured, and is one sign.
            if aspect.urn.label.startswith(group) and number:
                saying.spellings += tracked("mlflow", "model-version", f"{group}/{number}", place)
    saying.relate()
    return saying.told()


def version_set(aspect: Aspect, place: Place) -> Told:
    """`versionProperties`: of what it is a version, and the aliases that it bears there."""
    saying = Saying(aspect, place)
    saying.relate()
    around = field(aspect.value, "versionSet")
    for raw in objects(aspect.value, "aliases"):
        alias, whole = text(raw, "versionTag"), saying.end(around, "versionSet")
        if alias and whole is not None:
            saying.add(Edge(saying.native_id, whole.text, EdgeKind.ALIAS_OF, alias=alias))
    saying.created_at = stamped(aspect.value, "sourceCreatedTimestamp")
    tag = text(field(aspect.value, "version"), "versionTag")
    if tag:
        saying.facets["version"] = tag
    return saying.told()


def evaluation_data(aspect: Aspect, place: Place) -> Told:
    """`mlModelEvaluationData`: the model was judged on these, which is no training: an evaluation of its own."""
    saying = Saying(aspect, place)
    judged = f"{saying.native_id}#evaluation"
    datasets = [
        saying.end(field(one, "dataset"), f"evaluationData/{number}/dataset")
        for number, one in enumerate(objects(aspect.value, "evaluationData"))
    ]
    known = [one for one in datasets if one is not None]
    if known:
        saying.others[judged] = Record(judged, AssetKind.EVALUATION, f"evaluation of {aspect.urn.label}", "data")
        for upstream in (saying.native_id, *(one.text for one in known)):
            saying.add(Edge(upstream, judged, EdgeKind.CHECK))
    return saying.told()


def _groups(aspect: Aspect) -> list[str]:
    found: list[str] = []
    for one in texts(aspect.value, "groups"):
        try:
            found.append(read(one).label)
        except BadUrn:
            continue  # `relate` puts it aside with its reason
    return found
