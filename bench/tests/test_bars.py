"""Figures with bars: when they hold, and what a report ends with."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.bars import Figure, report
from bench.experiments.looks import cap_of, to_date
from bench.experiments.split import LOOKS, _alarm


@pytest.mark.parametrize(
    ("figure", "bar", "holds"),
    [
        (Figure("a", 0.05, most=0.05), "≤ 0.05", True),
        (Figure("a", 0.051, most=0.05), "≤ 0.05", False),
        (Figure("a", 0.79, least=0.8), "≥ 0.8", False),
        (Figure("a", 0.98, least=0.93, most=0.97), "0.93 … 0.97", False),
        (Figure("a", 7.0), "", True),
        (Figure("a", float("nan"), most=1.0), "≤ 1", False),
    ],
)
def test_a_figure_holds_its_bar(figure: Figure, bar: str, holds: bool) -> None:
    assert (figure.bar, figure.holds) == (bar, holds)


def test_a_report_ends_with_1_where_a_bar_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.json"
    good, bad = Figure("good", 1.0, most=2.0), Figure("bad", 3.0, most=2.0)
    assert report([good], protocol={"seed": 0}, path=None) == 0
    assert report([good, bad], protocol={"seed": 0}, path=path) == 1
    assert report([good, bad], protocol={}, path=None, judged=False) == 0
    assert "NOT KEPT" in capsys.readouterr().out
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["protocol"] == {"seed": 0}
    assert [row["holds"] for row in written["figures"]] == [True, False]


def test_a_visitor_counts_for_28_days() -> None:
    daily, first = np.ones((2, 40)), np.array([0, 5])
    daily[1, :5] = 0
    sums = to_date(daily, first)
    assert sums[:, 27].tolist() == [28, 23]
    assert sums[:, -1].tolist() == [28, 28]


def test_the_cap_is_of_who_bought() -> None:
    assert cap_of(np.concatenate([np.zeros(900), np.arange(1.0, 102.0)])) == pytest.approx(100)


def test_the_alarm_is_at_the_first_look_that_has_the_evidence() -> None:
    total = 30 * np.arange(1, LOOKS + 1)
    assert _alarm(total // 2, total) == np.inf
    when = _alarm((0.55 * total).astype(np.int64), total)
    assert 1_000 < when < 4_000
    assert _alarm((0.52 * total).astype(np.int64), total) > when
