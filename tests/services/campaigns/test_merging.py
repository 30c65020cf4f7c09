"""Two drafts of a third: mine over theirs only where I changed it; where both did, it is said and mine stands."""

from typing import Any

import pytest

from recommendations.services.campaigns.merging import merge

TILES, LIST = {"placement": "email", "n": 4}, {"placement": "trending", "n": 2}


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged", "conflicts"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 3}, []),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}, []),
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 3}, {"a": 2, "b": 3}, ["/a"]),
        ({"x": {"a": 1}}, {"x": {"a": 1, "b": 2}}, {"x": {"a": 9}}, {"x": {"a": 9, "b": 2}}, []),
        ({"a": 1}, {"a": 1}, {}, {}, []),  # they took it out
        ({"a": 1}, {"a": 2}, {}, {"a": 2}, ["/a"]),
        # a list of single things is one value
        ({"days": [1]}, {"days": [1, 2]}, {"days": [1, 5]}, {"days": [1, 2]}, ["/days"]),
        # subjects and lists go place by place
        ({"s": ["a", "b"]}, {"s": ["A", "b"]}, {"s": ["a", "B"]}, {"s": ["A", "B"]}, []),
        ({"s": ["a", "b"]}, {"s": ["A", "b"]}, {"s": ["X", "b", "c"]}, {"s": ["A", "b", "c"]}, ["/s/0"]),
        ([TILES], [TILES | {"n": 6}], [TILES | {"price_to": 9}], [TILES | {"n": 6, "price_to": 9}], []),
        ([TILES], [TILES | {"n": 6}], [TILES, LIST], [TILES | {"n": 6}, LIST], []),
        # but not where something was taken out or moved: a mix would be nobody's
        ({"s": ["a", "b"]}, {"s": ["A", "b"]}, {"s": ["b", "a"]}, {"s": ["A", "b"]}, ["/s"]),
        ({"s": ["a", "b"]}, {"s": ["A", "b"]}, {"s": ["b"]}, {"s": ["A", "b"]}, ["/s"]),
        ([TILES, LIST], [TILES | {"n": 6}, LIST], [LIST, TILES], [TILES | {"n": 6}, LIST], [""]),
    ],
)  # fmt: skip
def test_each_side_keeps_what_it_changed(base: Any, mine: Any, theirs: Any, merged: Any, conflicts: list[str]) -> None:
    assert merge(base, mine, theirs) == (merged, conflicts)
    swapped, again = merge(base, theirs, mine)
    assert again == conflicts
    assert conflicts or swapped == merged
