"""What `export … --to` does: post the events, show how far it is, and say what was refused."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from pydantic import SecretStr

from ...config.errors import Misconfigured, WatersmeetError
from ...connectors.http import Anonymous, Auth, Http, Limits, Token
from ...connectors.http.redaction import address
from ...connectors.marquez.target import objection
from ...federation.errors import BadInput
from ..delivered import Delivered
from ..exporting import Chosen, Losses, events
from ..pushing import Push, Refusal, Tally
from .exits import Code
from .session import Session, console

_LISTED = 100
"""So many refused events stand in the answer; a file takes all."""
_EVERY = 1000
"""So many events lie between two lines of progress where there is no terminal."""


@dataclass(slots=True)
class Posting:
    """One `export … --to`, as it was typed."""

    to: str | None
    token_env: str | None
    state: Path | None
    refused: Path | None
    batch: int
    gzip: bool
    to_marquez: bool
    listed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def agree_with(self, output: Path | None) -> None:
        """Raises `BadInput` unless exactly one place is named, with options that belong to it."""
        if (output is None) == (self.to is None):
            raise BadInput("name one of --output FILE and --to URL")
        if self.to is None and (self.token_env or self.state or self.refused or self._is_special):
            raise BadInput("--token-env, --state, --refused, --batch, --gzip and --target belong to --to URL")

    @property
    def _is_special(self) -> bool:
        return self.gzip or self.to_marquez or self.batch != 1

    def run(self, here: Session, profile: str, chosen: Chosen, losses: Losses) -> Code:
        """Post what is chosen, and answer what became of it. Raises `WatersmeetError`."""
        settings = here.settings()
        to = str(self.to).rstrip("/")
        headers = {"Content-Encoding": "gzip"} if self.gzip else None
        http = Http(to, source="receiver", auth=self._auth(), headers=headers, limits=Limits.of(settings.http))
        try:
            with (
                here.store(settings) as store,
                Delivered(self.state, address(to)) as delivered,
                _lines_to(self.refused) as file,
                _watching(here) as tell,
            ):
                push = Push(
                    http,
                    delivered,
                    batch=self.batch,
                    zipped=self.gzip,
                    refused=lambda one: self._note(one, file),
                    objection=objection if self.to_marquez else lambda event: None,
                    tell=tell,
                )
                try:
                    push.send(events(store, profile, chosen, losses))
                except WatersmeetError as error:
                    self._explain(error, push.tally)
                    raise
        finally:
            http.close()
        self._answer(here, address(to), push.tally)
        return Code.INCOMPLETE if push.tally.refused else Code.OK

    def _auth(self) -> Auth:
        name = self.token_env
        if name is None:
            return Anonymous()
        if not os.environ.get(name):
            raise Misconfigured(f"the environment variable {name} is not set: --token-env names the one with the token")
        return Token(lambda: SecretStr(os.environ[name]))

    def _note(self, one: Refusal, file: BinaryIO | None) -> None:
        told = {"number": one.number, "status": one.status, "reason": one.reason}
        if file is not None:
            file.write(orjson.dumps({**told, "event": one.event}) + b"\n")
            file.flush()
        if len(self.listed) < _LISTED:
            self.listed.append({**told, "event": _named(one.event)})

    def _explain(self, error: WatersmeetError, tally: Tally) -> None:
        """Let the error say where the export stands, and how to go on."""
        done = f"{tally.sent + tally.before} events are acknowledged"
        way = (
            f"the same command with --state {self.state} goes on from there"
            if self.state
            else "with --state FILE an export remembers them, and goes on where it ended"
        )
        error.args = (f"{error}. {done}, {tally.refused} refused; {way}",)

    def _answer(self, here: Session, to: str, tally: Tally) -> None:
        answer = {
            "to": to,
            "events": tally.sent,
            "before": tally.before,
            "refused": tally.refused,
            "refusals": self.listed,
        }
        here.answer(answer, lambda screen: screen.print("\n".join(self._words(to, tally))))

    def _words(self, to: str, tally: Tally) -> list[str]:
        before = f", {tally.before} had been before" if tally.before else ""
        said = [f"{tally.sent} events were taken by {to}{before}"]
        if tally.refused:
            said.append(f"{tally.refused} were refused" + (f"; {self.refused} holds them" if self.refused else ":"))
            said += [
                f"  {one['number']}  {one['status'] or 'not sent'}  {one['event']}  {one['reason']}"
                for one in self.listed
            ]
            if tally.refused > len(self.listed):
                said.append("  … --refused FILE writes all of them")
        return said


def _named(event: dict[str, Any]) -> str:
    """Which event it is, for people."""
    kind = event.get("eventType") or event["schemaURL"].rpartition("/")[2]
    told: dict[str, Any] = event.get("job") or event.get("dataset") or {}
    run = event.get("run", {}).get("runId")
    return f"{kind} {told.get('namespace')}/{told.get('name')}" + (f" run {run}" if run else "")


@contextmanager
def _lines_to(file: Path | None) -> Generator[BinaryIO | None]:
    if file is None:
        yield None
        return
    try:
        stream = file.open("wb")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written: {error.strerror}; name a file in a folder of yours") from error
    with stream:
        yield stream


@contextmanager
def _watching(here: Session) -> Generator[Callable[[Tally], None]]:
    """How far it is: in place on a terminal, elsewhere a line now and then, nothing beside JSON."""
    screen = console(to_stderr=True)
    if here.as_json:
        yield lambda tally: None
    elif screen.is_terminal:
        with screen.status("0 events") as status:
            yield lambda tally: status.update(_so_far(tally))
    else:
        said = 0

        def tell(tally: Tally) -> None:
            nonlocal said
            if tally.sent // _EVERY > said:
                said = tally.sent // _EVERY
                screen.print(_so_far(tally))

        yield tell


def _so_far(tally: Tally) -> str:
    return f"{tally.sent} events taken, {tally.refused} refused, {tally.before} taken before"
