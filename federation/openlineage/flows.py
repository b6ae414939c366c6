"""Which inputs met which outputs inside one process (design: a process mixes nothing)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Ends = frozenset[str]
"""Native ids of datasets."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Everything in `reads` went into everything in `writes`. 0 is the flow of all inputs into all outputs."""

    number: int
    reads: Ends
    writes: Ends


def told(windows: Iterable[tuple[Ends, Ends]], named: Mapping[str, Ends]) -> Sequence[Flow]:
    """Flows where nobody tells them outright; `named` has the inputs that an output's column lineage names."""
    several = list(windows)
    groups: dict[Ends, set[str]] = {}
    everything: Ends = frozenset[str]().union(*named.values(), *(inputs for inputs, _ in several))
    for inputs, outputs in several:
        for reads, writes in _of_window(inputs, outputs, named).items():
            groups.setdefault(reads, set()).update(writes)
    return _numbered(groups, everything if len(several) < 2 else None)


def explicit(targets: Mapping[str, Ends], inputs: Ends, outputs: Ends, made_elsewhere: Ends) -> Sequence[Flow]:
    """Flows as a `lineage` facet tells them; what it leaves out touches the process and nothing else.

    `made_elsewhere`: outputs that the facet gives to other processes only.
    """
    groups: dict[Ends, set[str]] = {}
    for target, reads in targets.items():
        groups.setdefault(reads, set()).add(target)
    used: Ends = frozenset[str]().union(*targets.values())
    idle = inputs - used
    made = outputs - targets.keys() - made_elsewhere
    if made:
        groups.setdefault(frozenset(), set()).update(made)
    if not idle and len(groups) == 1:
        return _numbered(groups, used)
    flows = _numbered(groups, None)
    if idle:
        flows = [*flows, Flow(len(flows) + 1, idle, frozenset())]
    return flows


def _of_window(inputs: Ends, outputs: Ends, named: Mapping[str, Ends]) -> dict[Ends, set[str]]:
    mine = {output: named[output] for output in outputs if named.get(output)}
    spoken: Ends = frozenset[str]().union(*mine.values())
    groups: dict[Ends, set[str]] = {}
    for output in outputs:
        reads = mine[output] | (inputs - spoken) if output in mine else inputs | spoken
        groups.setdefault(reads, set()).add(output)
    return groups or {inputs: set()}


def _numbered(groups: Mapping[Ends, set[str]], everything: Ends | None) -> Sequence[Flow]:
    flows: list[Flow] = []
    number = 0
    for reads, writes in sorted(groups.items(), key=lambda group: sorted(group[0])):
        if reads == everything:
            flows.append(Flow(0, reads, frozenset(writes)))
            continue
        number += 1
        flows.append(Flow(number, reads, frozenset(writes)))
    return flows
