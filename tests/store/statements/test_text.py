"""The statement is the configuration: of 500 drawn ones, in both languages, nothing is missing and nothing is added."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from recommendations.domains.protocol import DomainName
from recommendations.domains.table import DOMAINS
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.engine.recommenders.registry import EVERY
from recommendations.models import Blend, BlendWeights, NewItemPromise, Placement
from recommendations.statement_terms import KINDS, StatedRule
from recommendations.store.statements.parameters import LiveConfiguration, parameters_of
from recommendations.terms import BlendName, CatalogueScope, Lift, RuleAction
from recommendations.wording.statement import labels
from recommendations.wording.statement.text import StatedSection, statement_text
from tests.store.statements.configurations import (
    drawn_configuration,
    named_kinds,
    numbers_of_settings,
    numbers_of_weights,
)

LANGUAGES = ["en", "zh-hans"]
SEEDS = range(500)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@cache
def stated(seed: int) -> tuple[LiveConfiguration, dict[str, list[StatedSection]]]:
    live = drawn_configuration(seed)
    return live, statement_text(parameters_of(live))


def sentences(section: StatedSection) -> str:
    return "\n".join(line["text"] for line in section["lines"])


def numbers(text: str) -> Counter[float]:
    return Counter(map(float, NUMBER.findall(text)))


def sections_of(text: Sequence[StatedSection], placement: Placement) -> list[StatedSection]:
    """That for everybody, and those of groups."""
    return [section for section in text if [placement.name] in [each[:1] for each in section["places"]]]


def settings_of(placement: Placement, promises: Sequence[NewItemPromise]) -> list[float]:
    return [float(number) for number in numbers_of_settings(placement, promises)]


def of_groups(live: LiveConfiguration, placement: Placement) -> list[BlendWeights]:
    return [row for row in live.weights if row.blend_id == placement.blend_id and row.segment_id is not None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_of_the_configuration_and_every_parameter_is_said(language: str) -> None:
    for seed in SEEDS:
        live, texts = stated(seed)
        with translation.override(language):
            for placement in live.placements:
                _check_placement(live, texts[language], placement)
            _check_shop(live, texts[language])


def _check_placement(live: LiveConfiguration, text: Sequence[StatedSection], placement: Placement) -> None:
    whole, *groups = sections_of(text, placement)
    own = [row for row in live.weights if row.blend_id == placement.blend_id and row.segment_id is None]
    together = [each for each in live.placements if [each.name] in [pair[:1] for pair in whole["places"]]]
    settings = [settings_of(each, live.promises) for each in together]
    expected = {number for each in settings for number in each} if together[1:] else Counter(settings[0])
    by_weights = Counter(float(number) for row in own for number in numbers_of_weights(row, placement))
    said = numbers(sentences(whole)) - by_weights
    assert said.total() == numbers(sentences(whole)).total() - by_weights.total(), "all numbers of the weights are said"
    assert set(said) == set(expected)
    for each, values in zip(together, settings, strict=True):
        lines = [line["plain"] for line in whole["lines"] if each.name in line["holds"]]
        assert numbers("\n".join(lines)) == Counter(values) + by_weights
    for row in own:
        _check_parts(sentences(whole), row)
    others = of_groups(live, placement)
    said = [numbers(sentences(section)) for section in groups]
    wanted = [Counter(map(float, numbers_of_weights(row, placement))) for row in others]
    assert all(each in wanted for each in said)
    assert all(each in said for each in wanted)
    for row in others:
        matching = [each for each in groups if numbers(sentences(each)) == Counter(numbers_of_weights(row, placement))]
        assert any(
            all(f"{labels.KINDS[kind]}" in sentences(each) for kind in named_kinds(row.weights)) for each in matching
        )
    about = "\n".join(line["plain"] for line in whole["lines"] if placement.name in line["holds"])
    for repeat, words in labels.REPEATS.items():
        assert (str(words) in about) == (placement.repeat == repeat)
    for scope, words in labels.SCOPES.items():
        assert (str(words) in about) == (placement.scope == scope)
    assert ("shown often" in about or "多次" in about) == bool(placement.fatigue)


def _check_parts(text: str, row: BlendWeights) -> None:
    """The kinds that are named are those of at least a tenth, each with its own number, the largest first."""
    named = named_kinds(row.weights)
    found = {}
    for kind, words in labels.KINDS.items():
        if match := re.search(re.escape(str(words)) + r"\W{1,2}(\d+)", text):
            found[kind] = (int(match[1]), match.start())
    assert {kind: percent for kind, (percent, _at) in found.items()} == named
    by_place = [percent for percent, _at in sorted(found.values(), key=lambda each: each[1])]
    assert by_place == sorted(by_place, reverse=True)
    assert (str(labels.LIFTS[Lift.MARGIN] % {"strength": "1.5"}) in text) == (row.margin > 0)


def _check_shop(live: LiveConfiguration, text: Sequence[StatedSection]) -> None:
    *others, rules, tests, unused, influence = text
    kinds = Counter(
        StatedRule.BURY if rule["action"] == RuleAction.BOOST and rule["strength"] < 0 else rule["action"]
        for rule in live.rules
    )
    assert numbers(sentences(rules)) == Counter(map(float, kinds.values()))
    assert numbers(sentences(tests)) == Counter(round(100.0 * each.traffic) for each, _changes in live.experiments)
    assert not numbers(sentences(unused) + sentences(influence))
    visit = [row for row in live.weights if row.blend.name == BlendName.SESSION and row.segment_id is None]
    alone = [section for section in others if not section["places"]]
    assert [numbers(sentences(each)) for each in alone] == [
        Counter(map(float, numbers_of_weights(row, None))) for row in visit
    ]


def test_the_text_of_a_home_page_reads_as_the_design_has_it() -> None:
    home = Placement(pk=1, name="home", blend_id=1)
    weights = BlendWeights(
        blend=Blend(pk=1, name=BlendName.HOME),
        weights={"buy_again": 0.41, "ease_home": 0.26, "recent_neighbours_home": 0.21, "als": 0.07, "content": 0.05},
    )
    text = statement_text(parameters_of(LiveConfiguration(placements=[home], weights=[weights])))
    english, chinese = text["en"][0], text["zh-hans"][0]
    assert english["title"] == "On the home page"
    assert sentences(english) == (
        "We weigh most: what you buy again and again (41%), what goes with what you bought (26%), what people with "
        "habits like yours bought lately (21%).\n2 other things count less."
    )
    assert chinese["title"] == "首页"
    assert sentences(chinese) == (
        "主要依据：您经常回购的商品（41%）、与您所购商品相配的商品（26%）、购买习惯相近的顾客近期购买的商品（21%）。\n"  # noqa: RUF001
        "另有 2 项依据占比较小。"
    )


def test_every_recommender_and_every_placement_has_words() -> None:
    assert {one.name for one in EVERY} | {SECOND_STAGE} == set(KINDS)
    assert set(KINDS.values()) == set(labels.KINDS)
    presets = {placement.name for domain in DOMAINS.values() for placement in domain.placements}
    assert presets <= set(labels.PLACES)
    assert set(labels.LIFTS) == set(Lift)
    assert set(labels.SCOPES) == set(CatalogueScope) - {CatalogueScope.WHOLE}


@pytest.mark.parametrize("name", [name for name in DomainName if name is not DomainName.GOODS])
def test_nothing_is_bought_where_nothing_is_sold(settings: Settings, name: DomainName) -> None:
    locale = Path(settings.BASE_DIR) / "locale"
    settings.LOCALE_PATHS = [locale / "domains" / name, locale]
    texts = [statement_text(parameters_of(drawn_configuration(seed))) for seed in range(40)]
    english = "\n".join(sentences(section) for text in texts for section in text["en"])
    chinese = "\n".join(sentences(section) for text in texts for section in text["zh-hans"])
    priced = re.compile(
        r"Items with a higher price.*|Items on which.*|Items of which.*|.*（强度.*|[Ii]n the basket|购物车"  # noqa: RUF001
    )
    assert not re.search(r"\bb(uy|ought)|customer|basket", priced.sub("", english))
    assert not re.search("[购买]|顾客|商品", priced.sub("", chinese))
