"""Trained nets in a shop: which cut takes which, what is said where one is missing, and the training as a command."""

import io
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from analytics.queries.weights.live_facts import live_facts
from demo.town import synthetic_shop, write_rows
from recommendations.domains.video import VIDEO
from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.ids import IdMap
from recommendations.engine.recommenders.net_training import Plan, Training
from recommendations.engine.recommenders.sequence_net import SHAPES
from recommendations.engine.recommenders.transformer import Transformer
from recommendations.ingest.import_files import import_events, import_items
from recommendations.loop import adjust
from recommendations.loop.context import RunContext
from recommendations.loop.preprocess import make_snapshots
from recommendations.loop.run import run_loop
from recommendations.models import Item, ModelVersion, Run, ShopSetting
from recommendations.services.operations.net_training import LOCK, CannotTrainError, train_nets
from recommendations.services.operations.runs import start_run
from recommendations.services.weights.values import weighable
from recommendations.store import jobs
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.models import nets
from recommendations.store.models.model import load_model, load_snapshot
from recommendations.store.models.records import load_candidates
from recommendations.store.temp_tables import silent
from recommendations.terms import BlendName, Cut, RunStatus, VersionStatus
from tests.domains.test_shop_domain import NOW, set_up
from tests.shop import training_set, with_net
from tests.trained import artefact_folder

FACTS = {"sequences": 300, "rounds": 3, "reached": 0.1, "seconds": 60.0, "digest": "of nothing"}


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[None]:
    """A shop of films that has learned nothing yet."""
    set_up(VIDEO, settings)
    made = synthetic_shop(VIDEO, now=NOW, people=90, items=200)
    import_items(write_rows(made.items, tmp_path / "items.csv"), now=NOW, report=silent)
    import_events(write_rows(made.events, tmp_path / "events.csv"), now=NOW, report=silent)
    with artefact_folder(tmp_path / "artefacts"):
        yield


def saved_net(cut: Cut, *, until: float, scale: float = 1.0) -> np.ndarray:
    """Store a net of every second item whose vectors are ``scale`` times those of a category; the keys of its items."""
    ids = np.array(Item.objects.order_by("pk").values_list("pk", flat=True)[::2], np.int64)
    net = with_net(training_set([], n_users=0, category_of=[at % 3 for at in range(len(ids))])).net
    assert net is not None
    nets.save_net(cut, {**net, "items": scale * net["items"]}, ids, until=until, **FACTS)
    return ids


def preprocessed() -> tuple[int, list[str]]:
    """The version of a run that went through the stage that takes nets, and what it said."""
    said: list[str] = []
    run = start_run(by=None, now=NOW, in_worker=False)
    context = RunContext.of(run, cut=None, report=lambda share, *, text="": said.append(text))  # type: ignore[arg-type]
    make_snapshots(context)
    jobs.finish(run, RunStatus.SUCCEEDED, now=NOW)
    return context.version.pk, said


@pytest.mark.usefixtures("shop")
def test_every_cut_takes_the_newest_net_of_nothing_later() -> None:
    version, _ = preprocessed()
    assert all(load_snapshot(version, cut)[0].training.net is None for cut in Cut)
    cuts = {cut: load_snapshot(version, cut)[0].cut for cut in Cut}
    ids = saved_net(Cut.TUNING, until=cuts[Cut.TUNING])
    saved_net(Cut.TEST, until=cuts[Cut.TEST] + 0.5, scale=2.0)
    saved_net(Cut.LIVE, until=cuts[Cut.LIVE] + 0.5, scale=3.0)
    version, _ = preprocessed()
    for cut, scale in {Cut.TUNING: 1.0, Cut.TEST: 1.0, Cut.LIVE: 2.0}.items():
        snapshot, _ = load_snapshot(version, cut)
        assert snapshot.training.net is not None
        vectors = snapshot.training.net["items"]
        assert vectors.max() == scale
        known = np.isin(snapshot.items.ids, ids)
        np.testing.assert_array_equal(vectors.any(axis=1), known)

    path = nets.stored_nets()[Cut.TUNING].path
    storages["artefacts"].delete(path)
    storages["artefacts"].save(path, ContentFile(b"PK nothing"))
    version, said = preprocessed()
    assert any(
        "missing or damaged: run manage.py train_transformer again. The run goes on without" in one for one in said
    )
    assert [load_snapshot(version, cut)[0].training.net is None for cut in Cut] == [True, True, False]
    assert nets.forget_nets() == 3
    assert not list(Path(storages["artefacts"].location, "nets").iterdir())


@pytest.mark.usefixtures("shop")
def test_a_run_weighs_the_net_and_serves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=8, climbs=1, rounds=1)))
    assert str(live_facts().lacking["transformer_discover"].why).startswith("No net is trained yet.")
    ids = saved_net(Cut.LIVE, until=1.0)
    assert str(live_facts().lacking["transformer_discover"].why).startswith("A net is trained, but the live model")
    run = start_run(by=None, now=NOW, in_worker=False)
    run_loop(run.pk, clock=timezone.now)
    version = ModelVersion.objects.live().get()
    for cut in Cut:
        records = load_candidates(version.pk, cut)[BlendName.DISCOVER]
        plane = records.z[:, records.instances.index("transformer_discover")]
        assert np.isfinite(plane).any()
    model = load_model(version.pk, Cut.LIVE)
    net = model.recommenders["transformer_discover"]
    assert isinstance(net, Transformer)
    assert net is model.recommenders["transformer"]
    np.testing.assert_array_equal(net.items_.any(axis=1), np.isin(model.items.ids, ids))
    assert "transformer" not in live_facts().lacking
    assert "transformer_discover" in weighable(BlendName.DISCOVER)


@pytest.mark.usefixtures("shop")
def test_nets_are_trained_for_each_cut_in_turn_and_only_once() -> None:
    pytest.importorskip("torch")
    version, _ = preprocessed()
    ModelVersion.objects.filter(pk=version).update(is_live=True, status=VersionStatus.READY)
    with pytest.raises(CannotTrainError, match="people took two items or more that 5 people took; a net needs 200"):
        trained(Plan(), seconds=1)
    plan = Plan(dimensions=8, blocks=1, fewest=20, people=2)
    assert [cut for cut, _ in trained(plan, seconds=2)] == list(Cut)
    stored = nets.stored_nets()
    assert [stored[cut].until for cut in Cut] == [load_snapshot(version, cut)[0].cut for cut in Cut]
    assert [net.path for _, net in trained(plan, seconds=2)] == [stored[cut].path for cut in Cut]
    assert len(list(Path(storages["artefacts"].location, "nets").iterdir())) == 3
    anew = dict(trained(plan, seconds=1.5))  # other options: a net that knew all of the history could not be judged
    for cut, net in anew.items():
        assert net.path != stored[cut].path
        assert net.reached is not None, cut
        assert 0 <= net.reached <= 1


def trained(plan: Plan, *, seconds: float) -> list[tuple[Cut, nets.StoredNet]]:
    return list(train_nets(seconds=seconds, seed=0, plan=plan, tell=lambda cut, training: None))


@pytest.mark.django_db
def test_where_no_net_can_be_trained_the_command_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="A shop of goods has no transformer"):
        call_command("train_transformer")
    set_up(VIDEO, settings)
    with pytest.raises(CommandError, match="There is no live model yet"):
        call_command("train_transformer")
    with pytest.raises(CommandError, match="--minutes is above 0"):
        call_command("train_transformer", minutes=0)
    for option in ([], ["--forget"]):
        with advisory_lock(LOCK), pytest.raises(CommandError, match="being trained elsewhere"):
            call_command("train_transformer", *option)
    ModelVersion.objects.create(run=Run.objects.create(now=NOW), is_live=True, status=VersionStatus.READY)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CommandError, match="needs torch: install the extra sequence-torch"):
        call_command("train_transformer")
    told = io.StringIO()
    call_command("train_transformer", "--forget", stdout=told)
    assert told.getvalue() == "No nets were there to forget.\n"


@pytest.mark.django_db(transaction=True)
def test_a_net_that_is_replaced_while_it_is_read_is_no_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with artefact_folder(tmp_path):
        Item.objects.bulk_create(Item(shop_id=f"i{number}", title=f"Item {number}") for number in range(4))
        ids = saved_net(Cut.LIVE, until=1.0)
        before = nets.stored_nets()
        saved_net(Cut.LIVE, until=1.0, scale=2.0)
        looks = iter([before])
        now = nets.stored_nets
        monkeypatch.setattr(nets, "stored_nets", lambda: next(looks, None) or now())
        taken = nets.net_at(1.0, IdMap(ids=ids))
        assert taken is not None
        assert taken[1]["items"].max() == 2.0


@pytest.mark.django_db(transaction=True)
def test_a_checkpoint_is_of_one_training_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    arrays = {f"{part}/{name}": np.ones(3, np.float32) for part in ("net", "best", "moments") for name in SHAPES}
    with artefact_folder(tmp_path):
        for n in (1, 2):
            nets.save_checkpoint(arrays, digest="this", facts={"round": n, "rate": 0.01})
        loaded = nets.load_checkpoint("this")
        assert loaded is not None
        assert Training.restored(*loaded).round == 2
        assert nets.load_checkpoint("another") is None
        (path,) = (tmp_path / "nets").iterdir()
        path.write_bytes(path.read_bytes()[:-9])
        assert nets.load_checkpoint("this") is None
        assert nets.forget_nets() == 0
        assert ShopSetting.objects.get(key=nets.KEY).value == {}
