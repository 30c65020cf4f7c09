"""A shop's domain: set up once, kept in the database, learned and answered by; another one is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from demo.town import SyntheticShop, synthetic_shop, write_rows
from recommendations.domains.music import MUSIC
from recommendations.domains.protocol import Domain
from recommendations.domains.video import VIDEO
from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.recommenders.registry import EXTRA, INSTANCES, instances_of
from recommendations.event_types import EventName
from recommendations.ingest.import_files import import_events, import_items
from recommendations.loop import adjust
from recommendations.loop.run import run_loop
from recommendations.models import BlendWeights, Customer, Event, Item, ModelVersion, PageSlot, Placement
from recommendations.services.campaigns.presets import PRESETS, offered
from recommendations.services.operations import readiness
from recommendations.services.operations.runs import start_run
from recommendations.services.review.acts import simulated_acts, taking
from recommendations.services.weights.values import Values, values_of, weighable
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.store.domain import shop_domain, shop_instances, stored_domain
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live.state import NOTHING, Act, LiveState, live_name
from recommendations.store.serving.snapshot import Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.store.temp_tables import silent
from recommendations.terms import BlendName, Reason, RunStatus
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
migration = import_module("recommendations.migrations.0003_version_0_3")


def set_up(domain: Domain, settings: Settings) -> None:
    settings.SHOP_DOMAIN = domain.name.value
    migration.furnish_domain(apps, None)


@pytest.mark.django_db
def test_a_new_shop_gets_the_placements_and_pages_of_its_domain(settings: Settings, tmp_path: Path) -> None:
    set_up(MUSIC, settings)
    assert list(Placement.objects.values_list("name", "repeat")) == [
        (each.name, each.repeat) for each in MUSIC.placements
    ]
    assert Placement.objects.get(name="radio").blend.name == BlendName.CART
    home = PageSlot.objects.filter(page__name="home").order_by("position")
    assert list(home.values_list("placement__name", "n")) == list(MUSIC.pages["home"])
    assert (stored_domain(), shop_domain()) == (MUSIC.name, MUSIC)
    import_items(write_rows([{"item_id": "T1", "title": "So What"}], tmp_path / "i.csv"), now=NOW, report=silent)
    assert Item.objects.get().kind == "track"


def test_pages_offer_the_acts_and_campaigns_that_a_shop_has(settings: Settings) -> None:
    assert [str(name) for name in simulated_acts()] == ["view_item", "add_to_cart", "purchase"]
    assert offered() == list(PRESETS)
    settings.SHOP_DOMAIN = "music"
    assert [str(name) for name in simulated_acts()] == ["view_item", "play", "complete"]
    assert [each.trigger for each in offered()] == [None, None, "new_for_you", "viewed", "win_back", "shop"]


def test_a_shop_has_the_instances_of_its_domain_and_a_shop_of_goods_those_of_before(settings: Settings) -> None:
    assert shop_instances() == list(INSTANCES)
    assert all(shop_instances(blend) == list(instances_of(blend)) for blend in BlendName)
    assert not {one.name for one in EXTRA} & {name for blend in BlendName for name in weighable(blend)}
    of_goods = Values(weights={"buy_again": 1.0})
    with pytest.raises(ValidationError, match="no recommender next_item in this blend"):
        values_of({"weights": {"next_item": 1}}, blend=BlendName.HOME, otherwise=of_goods)
    settings.SHOP_DOMAIN = "video"
    assert {one.name for one in shop_instances()} - {one.name for one in INSTANCES} == set(VIDEO.extra)
    assert values_of({"weights": {"next_item": 1}}, blend=BlendName.HOME, otherwise=of_goods).weights == {
        "next_item": 1
    }
    assert "next_item_context" in weighable(BlendName.SESSION)


@pytest.mark.django_db
def test_a_shop_that_has_items_goes_on_selling_goods(settings: Settings) -> None:
    Item.objects.create(shop_id="A1", title="Shoe")
    set_up(MUSIC, settings)
    assert stored_domain() == "goods"
    assert Placement.objects.filter(name="cart").exists()


@pytest.mark.django_db
def test_another_domain_than_that_of_the_database_is_refused_with_the_remedy(
    client: Client, settings: Settings
) -> None:
    settings.SHOP_DOMAIN = "music"
    readiness.readiness.drop()
    told = client.get("/readyz").json()["missing"]["domain"]
    assert "SHOP_DOMAIN=goods, or begin with a new database" in told
    found = [each for each in run_checks(tags=["database"], databases=["default"]) if each.id == "recsite.E008"]
    assert [each.msg for each in found] == [told]
    settings.SHOP_DOMAIN = "goods"
    assert not [each for each in run_checks(tags=["database"], databases=["default"]) if each.id == "recsite.E008"]


@pytest.fixture
def films(
    tmp_path: Path, transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SyntheticShop]:
    """A shop of films that has been imported as files and has learned once, by a short search."""
    monkeypatch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=8, climbs=1, rounds=1)))
    set_up(VIDEO, settings)
    shop = synthetic_shop(VIDEO, now=NOW, people=120, items=360)
    import_items(write_rows(shop.items, tmp_path / "items.csv"), now=NOW, report=silent)
    import_events(write_rows(shop.events, tmp_path / "events.csv"), now=NOW, report=silent)
    with artefact_folder(tmp_path / "artefacts"):
        run = start_run(by=None, now=NOW, in_worker=False)
        run_loop(run.pk, clock=timezone.now)
        run.refresh_from_db()
        assert (run.status, run.message) == (RunStatus.SUCCEEDED, "")
        yield shop


def test_a_shop_of_films_learns_and_recommends_what_was_planted(films: SyntheticShop) -> None:
    version = ModelVersion.objects.live().get()
    assert version.event_weights == {str(name): points for name, points in VIDEO.points.items()}
    assert version.instances["popularity_discover"]["half_life"] == 28
    assert version.gate == {}  # nothing was live that it could be worse than
    weights = BlendWeights.objects.defaults().get(blend__name=BlendName.ITEM)
    assert weights.weights == VIDEO.weights[BlendName.ITEM]
    taste = dict(zip((row["item_id"] for row in films.items), films.taste_of_item.tolist(), strict=True))
    suits, again = [], 0
    for person in range(20):
        customer = Customer.objects.get(pseudonym=pseudonym(f"p{person}"))
        given = [shown.product.shop_id for shown in answer(customer).shown]
        watched = taking(Event.objects.filter(customer=customer))
        again += len(set(given) & set(watched.values_list("item__shop_id", flat=True)))
        suits.append(np.mean([taste[item] == films.taste_of_person[person] for item in given]))
    assert again == 0
    assert np.mean(suits) > 0.5  # of twelve tastes

    customer = Customer.objects.get(pseudonym=pseudonym("p0"))
    first = answer(customer).shown[0].item
    a_look, whole = ({live_name("play", share)} for share in (0.3, 1.0))
    for names, there in ((a_look, True), (whole, False)):
        recent = tuple(Act(first, EventName(name), NOW.timestamp()) for name in names)
        shown = [each.item for each in answer(customer, state=LiveState(recent=recent)).shown]
        assert (first in shown) is there
    what_follows_what_has_its_part_and_says_why(customer)


def what_follows_what_has_its_part_and_says_why(customer: Customer) -> None:
    snapshot = SnapshotHolder().current(None)
    key = WeightsKey(BlendName.DISCOVER)
    next_only = replace(snapshot.weights[key], weights={"next_item_discover": 0.5, "ease_discover": 0.5})
    snapshot = replace(snapshot, weights={**snapshot.weights, key: next_only})
    shown = answer(customer, snapshot=snapshot).shown
    for each in shown:
        assert sum(each.contributions.values()) == pytest.approx(each.score, abs=1e-6)
    assert any(each.contributions.get("next_item_discover") for each in shown)
    after = [one for each in shown for one in each.reasons if one.code is Reason.BOUGHT_NEXT]
    watched = Event.objects.filter(customer=customer).values_list("item__shop_id", flat=True)
    assert {one.evidence["item_id"] for one in after} <= set(watched)
    assert after


def answer(customer: Customer, *, state: LiveState = NOTHING, snapshot: Snapshot | None = None) -> Answer:
    request = ResolvedRequest(placement="home", customer=customer.pk, recommendation_id="r-1", n=10, explore=False)
    return recommend(request, snapshot=snapshot or SnapshotHolder().current(None), state=state, now=NOW)
