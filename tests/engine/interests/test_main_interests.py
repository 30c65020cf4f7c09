import numpy as np
import pytest

from recommendations.engine.interests.main_interests import MainInterests, taste_shift

TEA, SOAP, WINE = 0, 1, 2


def interests(weight: float, **shares: float) -> MainInterests:
    columns = {"tea": TEA, "soap": SOAP, "wine": WINE}
    ordered = sorted(columns, key=lambda name: -shares.get(name, 0))
    return MainInterests(
        categories=np.array([[columns[name] for name in ordered]], np.int32),
        shares=np.array([[shares.get(name, 0) for name in ordered]], np.float32),
        weight=np.array([weight]),
    )


@pytest.mark.parametrize(
    ("before", "lately", "weight", "shift"),
    [
        ({"tea": 0.6, "soap": 0.1}, {"soap": 0.5, "tea": 0.2}, 3, 0.4),
        ({"tea": 0.6}, {"wine": 0.2, "tea": 0.1}, 3, 0.2),
        ({"tea": 0.6}, {"tea": 0.6}, 3, 0),
        ({"tea": 0.6}, {"tea": 0.5}, 3, 0),  # what shrinks is no shift
        ({"tea": 0.6}, {"wine": 0.9}, 0.2, 0),  # next to nothing lately
        ({"tea": 0.6}, {"wine": 0.9}, 1.0, 0.9),
    ],
)
def test_the_shift_is_what_leads_of_late_has_gained(
    before: dict[str, float], lately: dict[str, float], weight: float, shift: float
) -> None:
    assert taste_shift(interests(9, **before), interests(weight, **lately)) == pytest.approx(shift)


def test_without_categories_nothing_shifts() -> None:
    nothing = MainInterests(np.empty((2, 0), np.int32), np.empty((2, 0), np.float32), np.array([3.0, 0.0]))
    assert taste_shift(nothing, nothing).tolist() == [0, 0]
