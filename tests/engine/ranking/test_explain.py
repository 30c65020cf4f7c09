from typing import NamedTuple

import numpy as np

from recommendations.engine.ranking.explain import reasons, speakers
from recommendations.terms import Reason


class Fact(NamedTuple):
    reason: Reason
    share: float
    item: int = 0


def test_evidence_is_asked_of_instances_with_positive_contributions_only() -> None:
    parts = np.array([[0.5, -2.0, 1.5, 0.0], [-1.0, 0.0, -3.0, -1.0], [0.0, 0.0, 0.0, 2.0]])
    assert speakers(("a", "b", "c", "d"), parts) == [[("c", 0.75), ("a", 0.25)], [], [("d", 1.0)]]
    assert speakers(("a", "b"), np.ones((1, 2)), limit=1) == [[("a", 0.5)]]


def test_at_most_two_reasons_of_different_kinds_largest_share_first() -> None:
    terms = reasons(
        [
            (0.75, [Fact(Reason.BECAUSE_YOU_BOUGHT, 0.4, 1), Fact(Reason.BECAUSE_YOU_BOUGHT, 0.3, 2)]),
            (0.2, [Fact(Reason.BECAUSE_YOU_BOUGHT, 1.0, 3), Fact(Reason.POPULAR, 0.1)]),
            (0.05, [Fact(Reason.INTEREST, 1.0)]),
        ]
    )
    assert [(one.term.reason, one.term.item) for one in terms] == [
        (Reason.BECAUSE_YOU_BOUGHT, 1), (Reason.INTEREST, 0),
    ]  # fmt: skip
    np.testing.assert_allclose([one.share for one in terms], [0.3, 0.05])


def test_no_evidence_no_reason() -> None:
    assert reasons([]) == []
    assert reasons([(1.0, [])]) == []
