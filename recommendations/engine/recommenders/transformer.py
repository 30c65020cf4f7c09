"""Transformer: what a net that was trained on sequences expects next (SASRec); it only reads arrays, without torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from recommendations.engine.frames import BoolArray, FloatArray, IntArray, Queries
from recommendations.engine.recommenders import sequence_net
from recommendations.engine.recommenders.protocol import Configured, Evidence, from_history
from recommendations.engine.steps import Arrays, Over, Part, Step
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    acts: int = 50  # of the person, the newest ones; no more than the net has places
    explained: int = 10  # newest items without which the score is worked out again, to say what it comes from


def _net(config: Config, before: Arrays, part: Part) -> Arrays:
    n_items = part.catalogue.n_items
    net = sequence_net.no_net(n_items) if part.net is None else part.net
    return {f"{name}_": array for name, array in sequence_net.arrays_of_net(net, n_items=n_items).items()}


class Transformer(Configured[Config]):
    """score_j = h · e_j, where h is the net's state after the last item of the history and e_j the vector of item j.

    ``fit`` takes the net that was trained before the cut (``net_training``) as it is: there is nobody in it, so that a
    history need not be in training. Without a net, and on items that it does not know, it is silent.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (Step(name="net", over=Over.ONCE, work=_net),)
    NAME: ClassVar = "transformer"
    NAMES: ClassVar = (NAME, "transformer_discover")

    items_: FloatArray
    places_: FloatArray
    norms_: FloatArray
    mix_: FloatArray
    mix_shift_: FloatArray
    inner_: FloatArray
    inner_shift_: FloatArray
    last_norm_: FloatArray

    def score(self, queries: Queries) -> FloatArray:
        scores = np.full((len(queries), len(self.items_)), np.nan, np.float32)
        sequences = self._sequences(queries)
        heard = np.flatnonzero([len(one) > 0 for one in sequences])
        if len(heard):
            scores[heard] = sequence_net.states(self._net, [sequences[row] for row in heard]) @ self.items_.T
            scores[:, ~self._knows] = np.nan
        return scores

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        """The newest items of the history, by how much the score falls without each."""
        sources, missing = query.once((self, "missing"), lambda: self._missing(query))
        terms = missing @ self.items_[item]
        return from_history(query.histories, item, sources=sources, terms=terms, reason=Reason.BOUGHT_NEXT)

    def _missing(self, query: Queries) -> tuple[IntArray, FloatArray]:
        """The newest different items, and by how much the state is another with each than without it."""
        (sequence,) = self._sequences(query)
        sources = np.array(list(dict.fromkeys(sequence[::-1].tolist()))[: self.config.explained], np.int32)
        without = [sequence[sequence != source] for source in sources]
        others = [one for one in without if len(one)]
        changed = np.zeros((len(sources), self.items_.shape[1]), np.float32)
        if len(sources):
            whole = sequence_net.states(self._net, [sequence, *others])
            changed[:] = whole[0]
            changed[np.flatnonzero([len(one) > 0 for one in without])] -= whole[1:]
        return sources, changed

    def _sequences(self, queries: Queries) -> list[IntArray]:
        taken = sequence_net.in_order(queries.histories, self._knows)
        return [one[-self.config.acts :] for one in taken.by_user(len(queries))]

    @cached_property
    def _knows(self) -> BoolArray:
        return sequence_net.known_items({"items": self.items_})

    @property
    def _net(self) -> dict[str, FloatArray]:
        return {name: getattr(self, f"{name}_") for name in sequence_net.SHAPES}
