import json
from pathlib import Path

import numpy as np
import pytest

from bench import watches
from bench.changes import causes, rates


def test_a_rate_falls_from_the_change_on_and_not_before() -> None:
    def shares(factor: float) -> list[float]:
        clicks, answers = rates.hours(np.random.default_rng(3), rates.PLACEMENTS[0], factor)
        parts = slice(0, rates.CHANGE), slice(rates.CHANGE, None)
        return [clicks[part].sum() / answers[part].sum() for part in parts]

    assert np.divide(shares(0.6), shares(1.0)) == pytest.approx([1, 0.6], rel=0.02)


def test_what_did_not_move_changes_no_list() -> None:
    change = causes.changed(np.random.default_rng(1), dict.fromkeys(causes.PARTS, 0.0) | {"rules": 1.0})
    assert change(frozenset(causes.PARTS) - {"rules"}) == pytest.approx(0)
    assert change(frozenset({"rules"})) > 0.01


def test_a_short_run_has_every_part_and_a_bar_that_is_missed_ends_it_with_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"QUICK": 2, "PLANTED": 5, "EARLY": -1.0}.items():
        monkeypatch.setattr(watches, name, value)
    assert watches.main(["--quick", "--json", str(tmp_path / "out.json")]) == 1
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (written["runs"], written["seed"]) == (2, 0)
    assert [len(written[part]) for part in ("rates", "causes", "patience", "points")] == [20, 2, 3, 3]
    printed = capsys.readouterr().out
    missed = [bar["words"] for bar in written["bars"] if not bar["reached"]]
    assert "alarms in eight weeks without a change" in missed
    assert printed.count("| NO |") == len(missed)
