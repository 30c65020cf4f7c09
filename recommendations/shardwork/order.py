"""What an engine is asked to do, and what it says of it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol, Self

from recommendations import engine as engine_package
from recommendations.shardwork.storage import StoredArray

WORK = "work"
"""The folder of the storage in which all is that orders leave."""


@cache
def code_digest() -> str:
    """SHA-256 of the source of the engine and of this package: machines with other code take no part."""
    digest = hashlib.sha256()
    for folder in (*map(Path, engine_package.__path__), Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """A kernel over parts: the ranges between ``borders``, numbered from 0.

    Two orders with one digest leave the same bytes, on whatever machine and however often they are done: so what was
    done of one is done of the other.
    """

    kernel: str
    settings: Mapping[str, Any]  # as JSON has them
    inputs: Mapping[str, StoredArray]
    borders: tuple[int, ...]
    code: str = field(default_factory=code_digest)

    @property
    def parts(self) -> range:
        return range(len(self.borders) - 1)

    @property
    def name(self) -> str:
        """What the work is called where it fails."""
        return str(self.settings.get("kind", self.kernel))

    @cached_property
    def digest(self) -> str:
        """What all the work depends on, the source of the engine included."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def folder(self) -> str:
        """Where what the parts leave lies in the storage."""
        return f"{WORK}/{self.digest[:32]}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        told = json.loads(text)
        inputs = {name: StoredArray(**one) for name, one in told.pop("inputs").items()}
        return cls(inputs=inputs, borders=tuple(told.pop("borders")), **told)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A part that was done, and what it took."""

    number: int
    arrays: Mapping[str, StoredArray]
    timed: Mapping[str, float]  # seconds of what the kernel times
    tries: int  # how often it was begun
    seconds: float  # on the clock
    cpu_seconds: float  # of the process while it did it
    peak_mb: float  # of the process, mapped files included
    host: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        told = json.loads(text)
        return cls(arrays={name: StoredArray(**one) for name, one in told.pop("arrays").items()}, **told)


class PartFailedError(Exception):
    """A part that could not be done, with what it said."""


type Told = Callable[[Sequence[Done]], None]
"""What hears of parts that were done."""
type Heard = Callable[[int], None]
"""What is called with the number of parts done while an order goes on; it may raise to stop it."""


class Engine(Protocol):
    """Whatever does the parts of an order that it is told, in any order; each is done when its ``Done`` is stored."""

    place: str
    """What the engine is called where that is not the machine of the run; empty where it is."""

    def run(self, order: WorkOrder, numbers: Sequence[int], *, heard: Heard) -> Iterator[Done]: ...
