"""What rose most with a run, and who asked for it: the part of a run's report that an attack would stand in."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray, IdArray, IntArray
from recommendations.engine.preprocess.popularity import recent_popularity, trend
from recommendations.models import ModelVersion
from recommendations.store.models import model
from recommendations.store.models.artefacts import of_one_edition
from recommendations.terms import Cut, Level

HALF_LIFE = 7.0  # days, as what is served for trending
DAYS = 28.0
FIRST, SHOWN = 50, 10  # places looked at, risers that are told of
LISTED = 20  # places of the trending list
BUYERS = 5  # confirmed ones that a place of it should have


class Demand(NamedTuple):
    """What is asked for, by item key: the trending list's scores, and who asked in the last four weeks."""

    items: IdArray
    trending: FloatArray
    people: IntArray
    confirmed: IntArray

    @classmethod
    def of(cls, version: ModelVersion) -> "Demand":
        return of_one_edition(version.pk, lambda _edition: cls._of(version))

    @classmethod
    def _of(cls, version: ModelVersion) -> "Demand":
        snapshot, _ = model.load_snapshot(version.pk, Cut.LIVE)
        training = snapshot.training
        teaching = training.teaching
        scores = recent_popularity(teaching, half_life=HALF_LIFE) * trend(teaching)
        lately = teaching.where((teaching.age < DAYS) & (teaching.strength > 0)).matrix()
        row = np.repeat(np.arange(training.n_users), np.diff(lately.indptr))
        known = model.load_levels(version.pk, Cut.LIVE, n_users=training.n_users)[row] == Level.CONFIRMED
        people = np.bincount(lately.indices, minlength=training.n_items)
        confirmed = np.bincount(lately.indices[known], minlength=training.n_items)
        return cls(snapshot.items.ids, scores, people.astype(np.int32), confirmed.astype(np.int32))

    @property
    def weak(self) -> float:
        """Share of the trending list whose items have fewer confirmed buyers than five."""
        listed = self.best(LISTED)
        return float(np.mean(self.confirmed[listed] < BUYERS)) if len(listed) else 0.0

    def best(self, n: int) -> NDArray[np.int64]:
        """Rows of the first items of the trending list."""
        order = np.argsort(-self.trending, kind="stable")[:n]
        return order[self.trending[order] > 0]


def risers(now: Demand, before: Demand) -> list[dict[str, Any]]:
    """Items whose place in the trending list gained most: key, place before (None: below the first 50) and now, people.

    A place is worth 1 / log₂(1 + place), as in NDCG.
    """
    old = {int(before.items[row]): place for place, row in enumerate(before.best(FIRST), start=1)}
    rising = []
    for place, row in enumerate(now.best(FIRST), start=1):
        key = int(now.items[row])
        was = old.get(key)
        gain = 1 / np.log2(1 + place) - (1 / np.log2(1 + was) if was else 0.0)
        if gain > 0:
            people, confirmed = int(now.people[row]), int(now.confirmed[row])
            rising.append((gain, {"item": key, "before": was, "now": place, "people": people, "confirmed": confirmed}))
    rising.sort(key=lambda one: -one[0])
    return [one for _gain, one in rising[:SHOWN]]
