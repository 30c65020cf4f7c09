"""The memory that training takes does not grow with the customers' records: they are written as they are made."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.evaluation.split import Windows
from recommendations.engine.frames import Interactions, TrainingSet
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.recommenders.registry import INSTANCES
from recommendations.loop import train
from recommendations.loop.context import RunContext
from recommendations.models import ModelVersion, Run
from recommendations.store import domain
from recommendations.store.models import model
from recommendations.store.models.records import load_candidates
from recommendations.terms import BlendName, Cut
from tests.shop import catalogue
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, tzinfo=UTC)
N_ITEMS, ACTS = 320, 3
FEW = ("popularity_home", "item_knn", "ease_discover")
"""Instances that learn of items only, so that what is learned has one size."""

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(domain, "INSTANCES", tuple(one for one in INSTANCES if one.name in FEW))
    with artefact_folder(tmp_path):
        yield


def customers(n: int) -> TrainingSnapshot:
    """So many customers, each of whom bought a few items."""
    draw = np.random.default_rng(0)
    rows = n * ACTS
    ones = np.ones(rows, np.float32)
    user = np.repeat(np.arange(n, dtype=np.int32), ACTS)
    item = (draw.integers(0, N_ITEMS, (n, 1)) + np.array([0, 7, 20])) % N_ITEMS
    acts = Interactions(
        user=user, item=item.ravel().astype(np.int32), basket=user, age=ones, quantity=ones, strength=ones, amount=ones,
        bought=np.ones(rows, np.bool_), n_users=n, n_items=N_ITEMS,
    )  # fmt: skip
    return TrainingSnapshot(
        cut=20_000.0,
        training=TrainingSet(interactions=acts, catalogue=catalogue([item % 4 for item in range(N_ITEMS)])),
        users=IdMap(ids=np.arange(n)),
        items=IdMap(ids=np.arange(N_ITEMS)),
        disliked=sparse.csr_matrix((n, N_ITEMS), dtype=np.float32),
    )


def peak(n: int, cut: Cut) -> int:
    """Most bytes that the training of a cut held at once."""
    run = Run.objects.create(now=NOW)
    version = ModelVersion.objects.create(run=run)
    model.save_snapshot(version, cut, customers(n), categories=IdMap(ids=np.arange(4)))
    windows = Windows(end=20_000.0, live=20_000.0)
    context = RunContext(run=run, version=version, cut=cut, windows=windows, report=lambda _share, text="": None)
    tracemalloc.start()
    try:
        train.fit_recommenders(context)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert len(load_candidates(version.pk, cut)[BlendName.HOME]) == n + 1


def test_more_customers_take_no_room_for_more_records() -> None:
    peak(1_000, Cut.LIVE)  # what is loaded once, and never again
    few, many = 4_000, 12_000
    a_customer = (peak(many, Cut.LIVE) - peak(few, Cut.LIVE)) / (many - few)
    record = sum(
        sum(part[0].nbytes for part in (records.items, records.z, records.own))
        for records in load_candidates(ModelVersion.objects.latest("pk").pk, Cut.LIVE).values()
    )
    assert record > 4_000
    assert a_customer < record / 4, f"{a_customer:,.0f} bytes a customer, whose records are {record:,}"
