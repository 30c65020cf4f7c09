"""A run in parts of a small shop, as if it were large; its process may kill itself (-9): a program beside the tests.

``run_in_parts RUN``, and ``fits`` or ``records`` where it ends in the middle of these.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

if __name__ == "__main__":
    import django

    django.setup()

from django.utils import timezone

from recommendations.engine.recommenders.registry import INSTANCES
from recommendations.loop import part_trainer, train, visits
from recommendations.loop import run as loop_run
from recommendations.shardwork import local

NAMES = ("popularity_home", "item_knn", "als_discover", "item_knn_discover")
WANTED = tuple(one for one in INSTANCES if one.name in NAMES)
ACTS, RECORDS = 400, 2  # of a part: five dozen customers

type Set = Callable[[Any, str, Any], None]


def few_instances(blend: str | None = None) -> tuple[Any, ...]:
    return tuple(one for one in WANTED if blend is None or blend in one.blends)


def make_small(set_: Set = setattr) -> None:
    """Let few instances learn, and parts be small."""
    set_(train, "shop_instances", few_instances)
    set_(visits, "weighed", tuple)
    set_(part_trainer, "PART_ACTS", ACTS)
    set_(part_trainer, "PART_RECORDS", RECORDS)
    set_(local, "EVERY_SECONDS", 0.01)


def end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class KilledTally(part_trainer.PartTally):
    """A tally whose process ends when the third job of parts is told."""

    told = 0

    def __call__(self, parts: Sequence[Any]) -> None:
        KilledTally.told += 1
        if KilledTally.told == 3:
            end()
        super().__call__(parts)


class KilledPace(part_trainer.Pace):
    """A pace whose process ends when the second part is done."""

    def __call__(self, parts: int) -> Mapping[str, float]:
        if parts >= 2:
            end()
        return super().__call__(parts)


if __name__ == "__main__":
    make_small()
    if sys.argv[2:] == ["fits"]:
        part_trainer.PartTally = KilledTally  # type: ignore[misc]
    if sys.argv[2:] == ["records"]:
        part_trainer.Pace = KilledPace  # type: ignore[misc]
    sys.stdout.write(str(loop_run.run_loop(sys.argv[1], clock=timezone.now)))  # type: ignore[arg-type]
