"""What names in events stand for: native ids, spellings put right, and names that may be no dataset at all."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from ..model import AssetKind, Form, Record, Spelling
from ..naming import is_suspect, run_uuid
from ..naming.namespace import place
from ..naming.systems import Shape
from .document import Pair, canonical

_VERSION = re.compile(r"v?\d+(?:[.\-_]\d+)+(?:[.\-+_]?[a-z]*[\w.]*)?|[0-9a-f]{7,40}", re.IGNORECASE)


def dataset_id(pair: Pair) -> str:
    """The native id of a dataset; the pair is canonical."""
    return f"{pair[0]}/{pair[1]}"


def column_id(dataset: str, field: str) -> str:
    """The native id of a column."""
    return f"{dataset}#{field}"


def job_id(job: Pair) -> str:
    """The native id of a job."""
    return f"job:{job[0]}/{job[1]}"


def run_id(told: str) -> str:
    """The native id of a run; what is no UUID becomes what Marquez makes of it."""
    return f"run:{run_uuid(told)}"


def version_id(dataset: str, version: str) -> str:
    """The native id of one version of a dataset."""
    return f"version:{dataset}@{version}"


@lru_cache(maxsize=4096)
def teller(producer: str) -> str | None:
    """Who speaks, whatever its version: `…/tree/1.54.0/integration/dbt` is `…/tree/integration/dbt`."""
    parts = [part for part in producer.split("/") if not _VERSION.fullmatch(part)]
    return "/".join(parts) or None


def job_stub(job: Pair) -> Record:
    """A job of which only the name is told."""
    spelling = Spelling(Form.OPENLINEAGE_JOB, job)
    return Record(job_id(job), AssetKind.JOB, job[1], described=False, spellings=(spelling,))


def run_stub(told: str, job: Pair | None) -> Record:
    """A run of which only the id, and perhaps the job, is told."""
    spelling = Spelling(Form.OPENLINEAGE_RUN, (run_uuid(told),))
    name = job[1] if job else run_uuid(told)
    return Record(run_id(told), AssetKind.RUN, name, described=False, spellings=(spelling,))


class Names:
    """The dataset names of one process, each with what it stands for."""

    def __init__(
        self,
        process: str,
        producer: str,
        inputs: Collection[Pair],
        outputs: Collection[Pair],
        doubtful: Iterable[Pair] = (),
    ) -> None:
        """`process`: the job's native id, to which suspect names belong. `doubtful`: inputs known from SQL only."""
        self._process = process
        self._teller = teller(producer)
        self._inputs = inputs
        self._known = {*inputs, *outputs}
        self._suspect = {pair for pair in doubtful if self._is_suspect(pair)}
        self._found: dict[Pair, str] = {}

    def id_of(self, pair: Pair) -> str:
        """The native id behind a canonical pair."""
        if pair not in self._found:
            self._found[pair] = self._id_of(pair)
        return self._found[pair]

    def told(self, namespace: str, name: str) -> str:
        """The native id behind a name that lineage mentions, however it is spelled there."""
        return self.id_of(self.aligned(canonical(namespace, name)))

    def aligned(self, pair: Pair) -> Pair:
        """The input that is meant: a SQL parser says `public.t` where the input is `db.public.t`."""
        if pair in self._known or "/" in pair[1]:
            return pair
        longer = [one for one in self._inputs if one[0] == pair[0] and one[1].endswith(f".{pair[1]}")]
        return longer[0] if len(longer) == 1 else pair

    def is_suspect(self, pair: Pair) -> bool:
        """Whether a pair may be no dataset: it then belongs to the job that named it."""
        return pair in self._suspect or (pair not in self._known and self._is_suspect(pair))

    def stub(self, pair: Pair, kind: AssetKind) -> Record:
        """A dataset of which only the name is told."""
        return Record(
            native_id=self.id_of(pair),
            kind=kind,
            name=pair[1],
            described=False,
            spellings=(Spelling(Form.OPENLINEAGE, pair),),
            teller=self._teller,
            suspect=self.is_suspect(pair),
        )

    def _id_of(self, pair: Pair) -> str:
        plain = dataset_id(pair)
        return f"suspect:{self._process}!{plain}" if self.is_suspect(pair) else plain

    def _is_suspect(self, pair: Pair) -> bool:
        """Judged by the other names in its place, which must be a place whose names have parts."""
        if place(pair[0]).system.shape is not Shape.DOTTED:
            return False
        return is_suspect(pair[1], [name for namespace, name in self._known if namespace == pair[0]], pair[0])
