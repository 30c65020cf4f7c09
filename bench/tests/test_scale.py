"""Invented shops have the shape that they promise; every stage of the scale bench runs on a small one."""

import json
import xml.etree.ElementTree as ET
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from bench import scale
from bench.growth import stages, synthetic
from bench.growth.loglog import Line, drawn
from recommendations.engine.frames import Interactions


@pytest.fixture(scope="module")
def shop() -> synthetic.Shop:
    return synthetic.shop(40_000, seed=3)


def test_the_rows_are_those_of_a_training_set(shop: synthetic.Shop) -> None:
    acts = shop.training.interactions
    assert (acts.n_users, acts.n_items) == (800, 2830)
    assert len(acts) == pytest.approx(40_000, rel=0.03)
    assert (np.diff(acts.user) >= 0).all()
    assert acts.age.min() >= 0
    assert acts.age.max() < synthetic.DAYS - synthetic.WINDOW
    pairs = acts.basket.astype(np.int64) * acts.n_items + acts.item
    assert len(np.unique(pairs)) == len(pairs)
    owner = np.full(int(acts.basket.max()) + 1, -1)
    owner[acts.basket] = acts.user
    np.testing.assert_array_equal(owner[acts.basket], acts.user)  # a basket is of one user
    assert {one.name: getattr(acts, one.name).dtype.str[1:] for one in fields(Interactions)[:3]} == {
        "user": "i4", "item": "i4", "basket": "i4",
    }  # fmt: skip


def test_purchases_after_the_cut_are_the_truth(shop: synthetic.Shop) -> None:
    per_day = shop.training.interactions.bought.sum() / (synthetic.DAYS - synthetic.WINDOW)
    assert shop.spent.nnz / synthetic.WINDOW == pytest.approx(per_day, rel=0.2)
    assert (shop.spent.data > 0).all()


def test_histories_and_items_have_long_tails_and_people_have_tastes(shop: synthetic.Shop) -> None:
    acts = shop.training.interactions
    lengths, sold = np.diff(acts.offsets), np.bincount(acts.item, minlength=acts.n_items)
    assert lengths.max() > 8 * np.median(lengths)
    assert np.sort(sold)[-acts.n_items // 10 :].sum() > 0.3 * len(acts)  # a tenth of the items
    own = (acts.item % synthetic.TASTES == acts.user % synthetic.TASTES).mean()
    assert own == pytest.approx(synthetic.OWN_TASTE, abs=0.05)


def test_the_same_seed_invents_the_same_shop(shop: synthetic.Shop) -> None:
    again, other = synthetic.shop(40_000, seed=3), synthetic.shop(40_000, seed=4)
    np.testing.assert_array_equal(again.training.interactions.item, shop.training.interactions.item)
    assert len(other.training.interactions) != len(shop.training.interactions)


@pytest.mark.parametrize("rows", [2, 300])
def test_an_invented_shop_may_be_tiny(rows: int) -> None:
    data = synthetic.shop(rows)
    assert data.training.n_users >= 2
    assert data.training.interactions.item.max(initial=0) < data.training.n_items


def test_every_stage_runs_on_a_small_shop(tmp_path: Path) -> None:
    figures = {stage: stages.run(stage, tmp_path, rows=10_000) for stage in scale.stages()}
    data = synthetic.shop(10_000, seed=stages.SEED)
    buyers = np.intersect1d(np.flatnonzero(np.diff(data.spent.indptr)), data.training.interactions.user)
    assert figures["score"]["customers"] == len(buyers) > 50
    assert figures["tuning"]["ndcg"] >= figures["tuning"]["best_single_ndcg"] > 0.1
    assert figures["evaluation"]["ndcg preset"] > 2 * figures["evaluation"]["ndcg popular"]
    results = [{"millions": 0.01, "stages": figures}]
    assert scale.table(results).count("\n") == len(figures) + 3
    ET.fromstring(scale.picture(results))


def test_a_size_that_was_measured_is_not_measured_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cost = {"cpu_seconds": 12.34, "wall_seconds": 20.0, "peak_mb": 1500.0}
    for stage in scale.stages():
        (tmp_path / "2").mkdir(exist_ok=True)
        stored = cost | ({"rows": 1_900_000, "users": 40_000, "items": 20_000} if stage == "generate" else {})
        (tmp_path / "2" / f"{stage}.json").write_text(json.dumps(stored))
    file = tmp_path / "found.json"
    assert scale.main(["--rows", "2", "--folder", str(tmp_path), "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "1.9 M rows, 40,000 × 20,000" in printed
    assert "| matrices | 12.3 s (20), 1.50 GB |" in printed
    assert scale.main(["--read", str(file), "--picture", str(tmp_path / "chart.svg")]) == 0
    assert capsys.readouterr().out == printed


def test_the_chart_marks_decades_and_names_each_line_once_and_apart() -> None:
    lines = [Line("first", [1e6, 1e7], [1.0, 100.0]), Line("second", [1e6, 1e7], [2.0, 100.0])]
    chart = ET.fromstring(drawn(lines, title="A title"))
    texts = {text.text: text for text in chart.iter("{http://www.w3.org/2000/svg}text")}
    assert {"1 s", "10 s", "100 s", "1 M", "10 M", "first, 100 s", "second, 100 s"} < set(texts)
    apart = float(texts["second, 100 s"].attrib["y"]) - float(texts["first, 100 s"].attrib["y"])
    assert abs(apart) >= 15
    first, _ = (line.attrib["points"].split() for line in chart.iter("{http://www.w3.org/2000/svg}polyline"))
    assert [float(point.split(",")[1]) for point in first] == [480.0, 40.0]  # the bottom and the top decade
