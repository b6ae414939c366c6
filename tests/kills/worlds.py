"""Three platforms in miniature, a configuration that names them, and what people do to them."""

import os
import random
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from watersmeet.api.cli.exits import Code
from watersmeet.api.opening import open_store
from watersmeet.config.settings import load
from watersmeet.federation.connector import Event
from watersmeet.federation.events import keep

from ..connectors.contract.house import House
from ..connectors.contract.marquez_house import MarquezHouse
from ..connectors.contract.mlflow_house import MLflowHouse
from ..connectors.contract.openlineage_house import OpenLineageHouse
from .forks import Ended, Forks
from .shown import Shown, assert_same, assert_sound

EDITS = {
    "mlflow": [number for number in range(1000) if number % 10 in (0, 1, 7)],
    "marquez": [number for number in range(1000) if number % 11 and number % 7],
    "openlineage": list(range(1000)),
}
"""Those that a platform tells by itself; others (tags, what is dated late) are found when everything is read again."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long undisturbed pulls are, by source: from nothing, and of everything once more."""

    first: dict[str, Ended]
    again: dict[str, Ended]


class World:
    """The platforms, and a folder where stores that follow them lie."""

    def __init__(self, folder: Path, houses: list[House], seed: int) -> None:
        self.folder = folder
        self.houses = {house.name: house for house in houses}
        self.chance = random.Random(seed)
        self.roots = {house.name: house.root for house in houses}

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, seed: int) -> Generator["World"]:
        """New platforms with their story."""
        with ExitStack() as held:
            kinds = (MLflowHouse, MarquezHouse, OpenLineageHouse)
            yield cls(folder, [held.enter_context(kind.opened()) for kind in kinds], seed)

    def config(self, url: str, name: str = "watersmeet.yaml", **sections: Any) -> Path:
        """A configuration of a store at this address that follows all platforms."""
        file = self.folder / name
        sources = [{"name": house.name, "platform": house.platform, **_where(house)} for house in self.houses.values()]
        file.write_text(yaml.safe_dump({"store": {"url": url}, "sources": sources, **sections}))
        return file

    def change(self) -> str:
        """People work on one of the platforms, in ways that it tells by itself; returns the name of its source."""
        house = self.chance.choice(list(self.houses.values()))
        for number in self.chance.sample(EDITS[house.platform], self.chance.randint(1, 6)):
            house.edit(number)
        self._age(house)
        return house.name

    def _age(self, house: House) -> None:
        """Files that were written a moment ago are those of an hour ago: nobody is at them any more."""
        if isinstance(house, OpenLineageHouse):
            for file in house.folder.iterdir():
                then = file.stat().st_mtime - 3600
                os.utime(file, (then, then))

    def lengths(self, forks: Forks) -> Lengths:
        """Measured on a store that is made for it."""
        config = self.config(f"sqlite:///{self.folder}/measured.db", "measured.yaml")
        first = {source: forks.pull(config, source) for source in self.houses}
        again = {source: forks.pull(config, source, full=True) for source in self.houses}
        assert {one.code for one in (*first.values(), *again.values())} == {0}
        return Lengths(first, again)

    def undisturbed(self, forks: Forks, name: str, posted: Sequence[bytes] = ()) -> Shown:
        """What a store shows that nobody ever disturbed, and to which these events were posted."""
        url = f"sqlite:///{self.folder / name}.db"
        config = self.config(url, f"{name}.yaml")
        self.follow(forks, config)
        if posted:
            with open_store(load(config)) as store:
                keep(store, "inlet", [Event(body, "posted") for body in posted])
            assert forks.run(config, "sync", "inlet").code == Code.OK
        return Shown.by(url, self.roots)

    def follow(self, forks: Forks, config: Path) -> None:
        """One sync of everything, which must succeed; what says that the next one goes on gets that one."""
        for source in self.houses:
            ended = forks.pull(config, source)
            for _ in range(300):
                if ended.code == Code.BUSY:  # a pull whose server was killed goes on to its end
                    time.sleep(0.2)
                elif ended.code != Code.INCOMPLETE:
                    break
                ended = forks.pull(config, source)
            assert ended.code == Code.OK, (source, ended)

    def check(self, forks: Forks, config: Path, url: str, posted: Sequence[bytes] = ()) -> None:
        """A store is what an undisturbed one is, and nothing is wrong with it."""
        assert_same(Shown.by(url, self.roots), self.undisturbed(forks, "undisturbed", posted))
        assert_sound(config)


def _where(house: House) -> dict[str, str]:
    return {"path": house.address} if house.platform == "openlineage" else {"url": house.address}
