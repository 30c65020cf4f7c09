"""Association rules as a recommender: significant pair rules from the items in view (``maths.md`` §2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import sparse

from recommendations.engine.frames import BoolArray, FloatArray, Queries, Sparse
from recommendations.engine.interests.association import (
    Baskets,
    PairItems,
    Pairs,
    affordable,
    baskets,
    many_carry,
    p_values,
    pair_items,
    significant,
    tested,
)
from recommendations.engine.preprocess.blocks import frequent, strongest
from recommendations.engine.preprocess.carriers import Together, own
from recommendations.engine.preprocess.row_terms import RowTerms, row_terms
from recommendations.engine.preprocess.weighting import act_weights, context_weights, transformed
from recommendations.engine.privacy.smallest import PEOPLE
from recommendations.engine.recommenders.protocol import Evidence, Sparing, largest
from recommendations.engine.steps import Arrays, Over, Part, Step, arrays_of, matrix_of
from recommendations.terms import Reason


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: Literal["history", "context"] = "context"
    half_life: float | None = 90.0  # days, of a history as profile
    min_together: int = 3  # baskets
    people: int = PEOPLE
    false_discovery_rate: float = 0.05
    rules: int = 200  # kept for each item


def _square(found: Pairs, values: FloatArray) -> Sparse:
    n_items = len(found.baskets_of)
    return sparse.csr_matrix((values, (found.first, found.second)), shape=(n_items, n_items), dtype=np.float32)


def _baskets(config: Config, before: Arrays, part: Part) -> Arrays:
    held = baskets(part.own)
    return {**arrays_of("content", held.content), "owner": held.owner + np.int32(part.start)}


def _items(config: Config, before: Arrays, part: Part) -> Arrays:
    """The baskets, cut to what can be counted, and the items of which pairs are counted, both ways round."""
    content = affordable(Baskets(matrix_of(before, "content"), before["owner"])).content
    items, columns, baskets_of = pair_items(content, min_together=config.min_together)
    return {
        **arrays_of("content", content),
        **arrays_of("columns", columns),
        **arrays_of("rows", columns.T.tocsr()),
        "items": items,
        "baskets_of": baskets_of,
    }


def _together(config: Config, before: Arrays, part: Part) -> Arrays:
    """The baskets that each of a range of items shares with each other one, and what chance they have."""
    columns = matrix_of(before, "columns")
    counts = frequent(part.cut(matrix_of(before, "rows")), columns, at_least=config.min_together)
    pairs = PairItems(before["items"], columns, before["baskets_of"]).pairs(counts, start=part.start)
    return {**arrays_of("together", counts), "p": p_values(tested(pairs))}


def _rules(config: Config, before: Arrays, part: Part) -> Arrays:
    """The rules that are believed; how many pairs are tested is known of all of them alone."""
    held = Baskets(matrix_of(before, "content"), before["owner"])
    every = PairItems(before["items"], matrix_of(before, "columns"), before["baskets_of"])
    believed = significant(every.pairs(matrix_of(before, "together")), rate=config.false_discovery_rate, p=before["p"])
    shared = many_carry(held, believed, people=config.people)
    return {
        **arrays_of("lift_", _square(believed, believed.lift)),
        **arrays_of("rules_", _strongest(config, believed.where(shared))),
        **arrays_of("own_rules_", _strongest(config, believed.where(~shared))),
        "known_": before["baskets_of"] > 0,
    }


def _strongest(config: Config, believed: Pairs) -> Sparse:
    return strongest(_square(believed, np.log(believed.lift) * believed.confidence), config.rules)


class AlsoBought(Sparing[Config]):
    """score_j = Σ_k p_k · log(lift_kj) · confidence_kj over the items k in view.

    A pair that few people carry would lend a stranger somebody's habits, and tell of them.
    """

    STEPS: ClassVar[tuple[Step, ...]] = (
        Step(name="baskets", over=Over.CUSTOMERS, work=_baskets),
        Step(name="items", over=Over.ONCE, work=_items),
        Step(name="together", over=Over.ITEMS, work=_together, product=("rows", "columns"), spent=("rows",)),
        Step(name="rules", over=Over.ONCE, work=_rules),
    )

    rules_: Sparse  # from × to: log-lift × confidence
    own_rules_: Sparse | None = None  # the same of pairs that few carry; None = not told apart (models of before)
    lift_: Sparse  # from × to, all significant pairs
    known_: BoolArray

    def evidence(self, query: Queries, item: int) -> Sequence[Evidence]:
        profile, terms, own = self._profile_of(query), self._terms(query).of(item), self._terms_of_own(query)
        lifts, yours = self._lifts(query).of(item), np.zeros_like(terms) if own is None else own.of(item)
        evidence = []
        for at, share in largest(terms):
            lift = float(lifts[at])
            facts = {"lift": lift, "confidence": float(terms[at] / profile.data[at] / np.log(lift))}
            reason = Reason.YOU_BUY_TOGETHER if yours[at] else Reason.BOUGHT_TOGETHER
            evidence.append(Evidence(reason=reason, share=share, item=int(profile.indices[at]), facts=facts))
        return evidence

    def _lifts(self, query: Queries) -> RowTerms:
        rows = self._profile_of(query).indices
        return query.once((self, "lifts"), lambda: row_terms(self.lift_, rows, np.ones(len(rows), np.float32)))

    @property
    def _matrix(self) -> Sparse:
        return self.rules_

    def _own_terms(self, queries: Queries, profile: Sparse) -> Sparse | None:
        """Rules of pairs that few carry for each item in view, where who asks has both in a basket; entries × items."""
        if self.own_rules_ is None or not profile.nnz or not queries.histories.bought.any():
            return None
        row = np.repeat(np.arange(len(queries)), np.diff(profile.indptr))
        held = baskets(queries.histories)
        theirs = own(Together(held.content, held.content, held.owner), users=row, items=profile.indices)
        return sparse.csr_matrix(theirs.multiply(self.own_rules_[profile.indices]))

    def _profile(self, queries: Queries) -> Sparse:
        if self.config.profile == "context":
            return context_weights(queries)
        return transformed(act_weights(queries.histories, half_life=self.config.half_life), "binary")
