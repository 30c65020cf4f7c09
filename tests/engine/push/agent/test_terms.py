"""Menus: options, terms and the sums that they make."""

import numpy as np
import pytest

from recommendations.engine.push.agent.features import PersonNumbers, band_of, features_of, scales_of
from recommendations.engine.push.agent.terms import (
    EXTRAS,
    SLOT_HOURS,
    AgentTerm,
    AgentTermKind,
    Lever,
    Menu,
    MenuCampaign,
    Slot,
    is_of,
)
from recommendations.push_terms import Channel
from tests.engine.push.agent.facts import THREE, TWO, people


def test_two_campaigns_of_two_subjects_by_two_channels_have_23_terms_and_24_options() -> None:
    assert (len(TWO.terms), len(TWO.options), len(TWO.columns)) == (23, 24, 12)
    assert len({term.code for term in TWO.terms}) == 23
    third = Menu(campaigns=(*TWO.campaigns, MenuCampaign(3, 1)), channels=TWO.channels)
    assert len(third.terms) == 25
    assert len(Menu(campaigns=(*TWO.campaigns, MenuCampaign(3, 2)), channels=TWO.channels).terms) == 28


def test_a_score_is_the_sum_of_its_terms() -> None:
    for menu in (TWO, THREE):
        features = people(50, menu, seed=1)
        model = np.random.default_rng(2).normal(size=len(menu.terms))
        option = np.arange(50) % len(menu.options)
        sums = (menu.rows(features, option) * model).sum(axis=1)
        assert np.abs(menu.scores(features, model)[np.arange(50), option] - sums).max() < 1e-12


def test_codes_and_levers_of_terms() -> None:
    term = AgentTerm(AgentTermKind.SUBJECT_BROWSES, campaign=12, variant=1)
    assert (term.code, term.lever) == ("subject_browses:12:1", Lever.SUBJECT)
    assert AgentTerm(AgentTermKind.SLOT, slot=Slot.EVENING).code == "slot:evening"
    assert AgentTerm(AgentTermKind.SENT_7).lever is None
    assert is_of(TWO.terms, [Lever.HOUR]).sum() == 3
    assert is_of(TWO.terms, list(Lever)).sum() == 15


def test_extras_are_terms_and_columns_of_their_own() -> None:
    menu = Menu(campaigns=TWO.campaigns, channels=TWO.channels, extras=EXTRAS)
    assert (len(menu.terms), len(menu.columns)) == (25, 14)
    assert menu.columns[7:9] == ("relevance", "response")


def test_slots_follow_one_another() -> None:
    assert [SLOT_HOURS[slot] for slot in Slot] == [(8, 12), (12, 17), (17, 21)]


def numbers(n: int, *, seed: int) -> PersonNumbers:
    draw = np.random.default_rng(seed)
    taken = draw.integers(0, 30, (n, 2)).astype(np.float64)
    return PersonNumbers(
        log_rate=draw.normal(-3, 0.8, n), browsing=draw.random(n), newness=draw.integers(0, 700, n).astype(np.float64),
        due=draw.random(n), sent_7=draw.integers(0, 5, n).astype(np.float64),
        sent_28=draw.integers(0, 15, n).astype(np.float64), silence=draw.integers(0, 60, n).astype(np.float64),
        hours=draw.dirichlet([2, 2, 2], n), taken=taken, answers=np.minimum(taken, draw.integers(0, 3, (n, 2))),
    )  # fmt: skip


def test_people_are_standardised_and_stand_in_even_bands() -> None:
    raw = numbers(3_000, seed=3)
    scales = scales_of(raw, rate=0.02)
    features = features_of(raw, scales, TWO)
    assert np.abs(features[:, :4].mean(axis=0)).max() < 1e-9
    assert np.abs(features[:, :4].std(axis=0) - 1).max() < 1e-9
    assert np.bincount(band_of(features, scales, TWO)).tolist() == [1_000, 1_000, 1_000]
    assert (features[:, 4] == raw.sent_7).all()  # messages stay messages: tiredness is told by one of them


def test_unknown_and_constant_numbers_count_as_usual() -> None:
    raw = numbers(100, seed=4)
    raw.log_rate[:3] = np.nan, np.inf, -np.inf
    raw.browsing[:] = 0.25
    raw.newness[:] = np.nan
    features = features_of(raw, scales_of(raw, rate=0.02), TWO)
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 8
    assert (features[0, 0], features[:, 1].any(), features[:, 2].any()) == (0, False, False)
    with pytest.raises(ValueError, match="12 numbers of a person, the menu has 13"):
        features_of(raw, scales_of(raw, rate=0.02), Menu(campaigns=TWO.campaigns, channels=tuple(Channel)))
