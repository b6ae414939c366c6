"""A lineage answer as lines of text: a tree from the root, each thing opened once, and how complete it is."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...federation.inquiry.answers import Completeness, Impact, Lineage, LineageEdge, LineageNode
    from ...federation.model import AssetKind


@dataclass(frozen=True, slots=True)
class _Step:
    edge: "LineageEdge"
    node: "LineageNode"


def tree(answer: "Lineage") -> Iterator[str]:
    """The root, then what is upstream of it, then what is downstream."""
    nodes = {node.id: node for node in answer.nodes}
    root = nodes.get(answer.root)
    if root is not None:
        yield label(root)
    for heading, steps in (("upstream", _upstream(answer, nodes)), ("downstream", _downstream(answer, nodes))):
        if steps.get(answer.root):
            yield heading
            yield from _branch(answer.root, steps, "", {answer.root})


def impact(answer: "Impact") -> Iterator[str]:
    """How many of each kind, then each thing by its distance."""
    counts: Counter[str] = Counter()
    for one in answer.counts:
        counts[_kind(one.kind)] += one.count
    said = ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.items()))
    yield f"{answer.total} things depend on it" + (f": {said}" if said else "")
    for node in sorted(answer.nodes, key=lambda node: (node.depth, str(node.kind), node.name, node.id)):
        if node.depth:
            yield f"  {node.depth:>2}  {label(node)}"


def label(node: "LineageNode") -> str:
    """One thing: its name, its kind, where it is known, and what is odd about it."""
    if node.restricted:
        return "restricted"
    said = [_kind(node.kind)] if node.kind else []
    said += [", ".join(node.platforms)] if node.platforms else []
    said += [f"run {str(node.run.state).lower()}"] if node.run else []
    said += [f"gone since {node.tombstoned_at:%Y-%m-%d}"] if node.tombstoned_at else []
    said += [] if node.column_exact else ["only the table is known"]
    return f"{node.name}  ({'; '.join(said)})"


def completeness(found: "Completeness", unshown: int = 0) -> Iterator[str]:
    """First whether the answer is exact, then each reason why it is not, with what to do; `unshown`: on later pages."""
    if found.exact and unshown:
        yield f"not complete: what is shown is exact, {unshown} more things are not shown"
    elif found.exact:
        yield "complete: exact"
    else:
        yield f"not complete: a lower bound{'; cut to the page' if found.truncated else ''}"
    if found.undated:
        yield f"  {found.undated} edges without a date: they count as true at any time"
    if found.changed:
        yield f"  {found.changed} things have changed since the state of the graph that this stands on"
    if found.hidden:
        yield f"  {found.hidden} neighbours are hidden from you"
    if found.lowest_confidence is not None and found.lowest_confidence < 1:
        yield f"  the least certain step has confidence {found.lowest_confidence:.2f}"
    for one in found.stale:
        since = f" since {one.since:%Y-%m-%d %H:%M}" if one.since else ""
        yield f"  {one.source} is out of date{since}: {one.reason}; {one.remedy}"
    for one in found.failures:
        yield f"  {one.source}: {one.what}; {one.remedy}"


def _kind(kind: "AssetKind") -> str:
    return kind.value.lower().replace("_", " ")


def _upstream(answer: "Lineage", nodes: "Mapping[int, LineageNode]") -> dict[int, list[_Step]]:
    steps: dict[int, list[_Step]] = defaultdict(list)
    for edge in answer.edges:
        if edge.upstream in nodes:
            steps[edge.downstream].append(_Step(edge, nodes[edge.upstream]))
    return _sorted(steps)


def _downstream(answer: "Lineage", nodes: "Mapping[int, LineageNode]") -> dict[int, list[_Step]]:
    steps: dict[int, list[_Step]] = defaultdict(list)
    for edge in answer.edges:
        if edge.downstream in nodes:
            steps[edge.upstream].append(_Step(edge, nodes[edge.downstream]))
    return _sorted(steps)


def _sorted(steps: Mapping[int, Sequence[_Step]]) -> dict[int, list[_Step]]:
    """By kind and name, so that the same question gives the same text."""
    return {
        place: sorted(here, key=lambda step: (str(step.edge.kind), str(step.edge.role), step.node.name, step.node.id))
        for place, here in steps.items()
    }


def _branch(place: int, steps: Mapping[int, Sequence[_Step]], indent: str, opened: set[int]) -> Iterator[str]:
    """Depth first without recursion into what is open already; a chain may be longer than Python's stack."""
    waiting = [(indent, place, iter(_marked(steps.get(place, ()))))]
    while waiting:
        indent, place, rest = waiting[-1]
        following = next(rest, None)
        if following is None:
            waiting.pop()
            continue
        step, is_last = following
        again = step.node.id in opened and bool(steps.get(step.node.id))
        shown = f"{_how(step.edge)} {label(step.node)}{'  (see above)' if again else ''}"
        yield indent + ("└─ " if is_last else "├─ ") + shown
        if step.node.id not in opened:
            opened.add(step.node.id)
            deeper = indent + ("   " if is_last else "│  ")
            waiting.append((deeper, step.node.id, iter(_marked(steps.get(step.node.id, ())))))


def _marked(here: Sequence[_Step]) -> Iterator[tuple[_Step, bool]]:
    for number, step in enumerate(here, 1):
        yield step, number == len(here)


def _how(edge: "LineageEdge") -> str:
    """The edge in a word or two, with what weakens it."""
    said = str(edge.kind).lower() + (f" {str(edge.role).lower()}" if edge.role else "")
    notes = [str(edge.evidence).lower()] if str(edge.evidence) in ("PARSED", "INFERRED", "STATED") else []
    notes += [f"{edge.confidence:.2f}"] if edge.confidence < 1 else []
    return f"{said} [{', '.join(notes)}]" if notes else said
