"""Presets of the domains: what they name exists, and goods is what shipped before there were domains."""

from dataclasses import fields

import pytest

from recommendations.domains.goods import GOODS
from recommendations.domains.protocol import Domain, DomainName
from recommendations.domains.table import DOMAINS
from recommendations.engine.recommenders.registry import EXTRA, INSTANCES, Instance, instances_of
from recommendations.event_types import EventName
from recommendations.terms import BlendName, Repeat, Task
from recommendations.wording import labels

EACH = pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))


def instances(domain: Domain) -> list[Instance]:
    return [*INSTANCES, *(one for one in EXTRA if one.name in domain.extra)]


def test_every_name_has_a_preset() -> None:
    assert set(DOMAINS) == set(DomainName)


@EACH
@pytest.mark.parametrize("blend", BlendName)
def test_every_blend_has_weights_of_its_own_instances_that_add_up_to_one(domain: Domain, blend: BlendName) -> None:
    weights = domain.weights[blend]
    assert set(weights) <= {instance.name for instance in instances_of(blend, among=instances(domain))}
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    assert all(weight > 0 for weight in weights.values())


@EACH
def test_extra_instances_exist_and_are_not_every_shop_s(domain: Domain) -> None:
    assert set(domain.extra) <= {one.name for one in EXTRA}
    assert not {one.name for one in EXTRA} & {one.name for one in INSTANCES}


@EACH
def test_every_blend_has_an_exponent_of_the_promotion_plan(domain: Domain) -> None:
    assert set(domain.promotion) == set(BlendName)
    assert all(exponent >= 0 for exponent in domain.promotion.values())


@EACH
def test_the_unit_takes_the_item_and_whatever_takes_it_has_points(domain: Domain) -> None:
    assert set(domain.points) <= set(EventName)
    assert domain.unit in domain.taken
    assert all(domain.points[name] > 0 for name in domain.taken)
    assert 0 <= domain.least_played <= domain.taken_from <= 1


@EACH
def test_settings_are_of_fields_that_an_instance_has(domain: Domain) -> None:
    of_name = {instance.name: instance for instance in instances(domain)}
    assert set(domain.settings) <= set(of_name)
    for name, settings in domain.settings.items():
        assert set(settings) <= {field.name for field in fields(of_name[name].config)}
        assert vars(of_name[name].under(settings).config).items() >= settings.items()


@EACH
def test_pages_show_placements_that_there_are_and_each_has_a_label(domain: Domain) -> None:
    names = [placement.name for placement in domain.placements]
    assert len(set(names)) == len(names)
    assert {name for parts in domain.pages.values() for name, _n in parts} <= set(names)
    assert {"home", "trending", "email", "web_push", "webhook"} <= set(names)
    assert set(names) <= set(labels.PLACEMENTS)
    assert set(domain.pages) <= set(labels.SHOP_PAGES)


def test_only_blends_that_make_lists_of_the_whole_shop_are_measured_for_staff() -> None:
    tasks = {name: domain.tasks for name, domain in DOMAINS.items()}
    both, once = [Task.HOME, Task.DISCOVER], [Task.DISCOVER]
    assert tasks == {"goods": both, "articles": once, "music": both, "video": once}


def test_goods_weighs_acts_as_before() -> None:
    of_trade = {
        "select_item": 1, "view_item": 1, "search": 1, "add_to_cart": 3, "remove_from_cart": -1, "purchase": 5,
        "refund": -5, "add_to_wishlist": 2, "rate_item": 5,
    }  # fmt: skip
    assert {name: GOODS.points[name] for name in of_trade} == of_trade
    assert set(GOODS.points) - set(of_trade) == {"play", "complete", "skip", "save"}
    assert (GOODS.unit, GOODS.taken, GOODS.settings) == ("purchase", {"purchase"}, {})
    assert not GOODS.extra
    assert (GOODS.played_at_once, GOODS.least_played, GOODS.taken_from) == (0, 0, 0)


def test_goods_ranks_as_before() -> None:
    assert GOODS.weights[BlendName.HOME] == {
        "repurchase": 0.49, "buy_again": 0.19, "ease_home": 0.19, "recent_neighbours_home": 0.07, "content": 0.03,
        "sequence": 0.03,
    }  # fmt: skip
    assert GOODS.weights[BlendName.DISCOVER] == {
        "ease_discover": 0.4, "als_discover": 0.2, "item_knn_discover": 0.2, "user_knn_discover": 0.1,
        "interests_discover": 0.1,
    }  # fmt: skip
    assert GOODS.weights[BlendName.ITEM] == {"content_context": 0.7, "item_knn_context": 0.2, "popularity_home": 0.1}
    assert {blend.value: exponent for blend, exponent in GOODS.promotion.items()} == {
        "home": 0.5, "discover": 1.0, "item": 0.0, "cart": 0.0, "session": 0.0,
    }  # fmt: skip


def test_what_is_watched_or_read_once_is_not_offered_again_and_music_is() -> None:
    repeat = {name: {each.name: each.repeat for each in domain.placements} for name, domain in DOMAINS.items()}
    assert repeat[DomainName.ARTICLES]["home"] is repeat[DomainName.VIDEO]["home"] is Repeat.EXCLUDE
    assert (repeat[DomainName.MUSIC]["home"], repeat[DomainName.MUSIC]["on_repeat"]) == (Repeat.ALLOW, Repeat.ONLY)
