"""Summary of the bench of the weights page, by hand."""

import pytest

from bench.sliders import Move, as_text, summary, timing


def moves(*painted: float, server: float = 30) -> list[Move]:
    return [Move(painted=each, server=server, panel=20) for each in painted]


def test_the_summary_has_median_and_p95_of_moves() -> None:
    result = summary(moves(*range(1, 101)))
    assert result["milliseconds"]["painted"] == {"median": 50.5, "p95": 95.0}
    assert (result["moves"], result["kept"], len(result["each"])) == (100, True, 100)


@pytest.mark.parametrize(
    ("measured", "kept"),
    [
        (moves(100, 100, 100), True),
        (moves(101, 101, 101), False),  # the median
        (moves(*[50] * 9, 2000), False),  # the slowest
        (moves(50, 50, 50, server=41), False),
    ],
)
def test_limits_of_moves_are_kept_or_broken(measured: list[Move], kept: bool) -> None:
    result = summary(measured)
    assert result["kept"] is kept
    assert ("limits kept" in as_text(result | {"panel": "all 60 customers"})) is kept


def test_the_servers_part_is_read_from_its_header() -> None:
    assert timing("panel;dur=21.3, page;dur=30.1") == {"panel": 21.3, "page": 30.1}
