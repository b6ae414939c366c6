"""What people do with dead letters: correct and replay them, or discard them with a reason."""

from collections.abc import Sequence

import msgspec

from .clock import utcnow
from .errors import AlreadyRunning, BadInput
from .events import INTERNAL, judged, lock_of, tell
from .model import LetterState
from .naming import Registry
from .openlineage import Admitted, Limits, Refused
from .rows import LetterRow
from .store import Store


def replay(
    store: Store, letter_id: int, *, registry: Registry, body: bytes | None = None, limits: Limits | None = None
) -> LetterRow:
    """Take a letter's event as if it came anew, corrected if `body` is given; a list is as many events.

    The letter then names the event's number in the log. A letter that was replayed stays as it is.
    Raises `NotFound`, `Refused` (the letter waits on), `AlreadyRunning`, `StoreUnavailable`.
    """
    letter = store.letters.one(letter_id)
    if letter.state is LetterState.REPLAYED:
        return letter
    events = _judged(store, letter.body if body is None else body, limits)
    appended = store.events.append(letter.source, events)
    entities = tuple(dict.fromkeys(one.entity for one in events))
    _tell(store, letter.source, entities, registry, must=appended.duplicates > 0)
    number = store.events.number_of(letter.source, events[-1].hash)
    store.letters.settle(letter_id, LetterState.REPLAYED, event=number)
    return store.letters.one(letter_id)


def discard(store: Store, letter_id: int, reason: str) -> LetterRow:
    """Let a letter wait no more; it is kept with the reason. Raises `NotFound`, `BadInput`."""
    if not reason.strip():
        raise BadInput("a letter is discarded for a reason: say which, for those who come later")
    letter = store.letters.one(letter_id)
    if letter.state is LetterState.REPLAYED:
        raise BadInput(f"letter {letter_id} was replayed as event {letter.event}: there is nothing to discard")
    if letter.state is LetterState.WAITING:
        store.letters.settle(letter_id, LetterState.DISCARDED, note=reason.strip())
    return store.letters.one(letter_id)


def remedy(letter: LetterRow) -> str:
    """What can be done about a letter."""
    again = f"`watersmeet letters replay {letter.id}`"
    if letter.state is LetterState.REPLAYED:
        return f"nothing: it was taken as event {letter.event}"
    if letter.state is LetterState.DISCARDED:
        return f"nothing; if it was discarded by mistake, {again} takes it all the same"
    if letter.reason == INTERNAL:
        return f"an error of Watersmeet, whose trace is in the log (`letter: {letter.id}`): update, then {again}"
    correct = f"{again[:-1]} --file CORRECTED.json`, and mend its producer, which will send more of these"
    if letter.path == "$":
        return f"write the event as one JSON object in UTF-8: {correct}"
    return f"correct what stands at {letter.path}: {correct}"


def _judged(store: Store, body: bytes, limits: Limits | None) -> list[Admitted]:
    """One event, or a batch of which each must be right."""
    key = store.secret()
    if not body.lstrip().startswith(b"["):
        return [judged(body, key=key, limits=limits)]
    try:
        parts = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"no JSON list of events: {error}", "$", 400) from error
    if not parts:
        raise Refused("a list without an event", "$", 400)
    return [judged(bytes(part), key=key, limits=limits) for part in parts]


def _tell(store: Store, source_id: str, entities: Sequence[str], registry: Registry, *, must: bool) -> None:
    """Make them part of the graph. What the log has had before no follower will come by: that cannot wait."""
    try:
        with store.lock(lock_of(source_id)):
            lost = tell(store, source_id, entities, utcnow()).skipped
            store.resolve(registry)
    except AlreadyRunning:
        if must:
            raise
        return
    if lost:
        raise Refused(INTERNAL, "$", 422)
