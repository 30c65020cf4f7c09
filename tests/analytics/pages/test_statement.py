"""The statement as staff look at it: both languages side by side, the rows behind each part, versions and why."""

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from analytics.pages.statement import VERSIONS
from recommendations.models import Blend, BlendWeights, Placement, RecommendationStatement
from recommendations.services.operations.placements import set_placement
from recommendations.services.statements import state_at_start
from recommendations.store.models import weight_versions
from recommendations.store.models.weight_versions import Made
from recommendations.terms import BlendName, Role
from tests.experiment_records import NOW, experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def weights() -> BlendWeights:
    """Of the home page, in the second of three versions; in the third the placement changed."""
    RecommendationStatement.objects.all().delete()
    Blend.objects.update(last_number=0)
    state_at_start()
    made = Made(weights={"buy_again": 0.7, "ease_home": 0.3}, reason="test")
    own = weight_versions.append_weights(blend=BlendName.HOME, made=made, author=None, now=NOW, publish=True)
    experiment(name="Cheaper first")
    set_placement(placement=Placement.objects.get(name="home"), changes={"diversity": 0.4}, by=None)
    return own


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"/statement/{query}")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_both_languages_stand_side_by_side_with_the_rows_behind_them(
    weights: BlendWeights, client_of: Callable[[Role], Client]
) -> None:
    text = shown(client_of(Role.VIEWER))
    assert "We weigh most: what you buy again and again (70%), what goes with what you bought (30%)." in text
    assert "主要依据：您经常回购的商品（70%）、与您所购商品相配的商品（30%）。" in text  # noqa: RUF001
    assert f'href="/weights/?blend=home">Weights “For you” v{weights.number}</a>' in text
    assert 'href="/setup/placements/home/"' in text
    assert ">Cheaper first</a>" in text


def test_versions_say_why_and_what_differs(weights: BlendWeights, admin: Client) -> None:
    text = shown(admin)
    assert text.index(">s3</a>") < text.index(">s2</a>") < text.index(">s1</a>")
    assert "A placement was changed" in text
    assert "New: So that a list is not all of one kind, its variety counts (40%)." in text
    assert "The first version" in text
    former = shown(admin, "?version=2")
    assert "It no longer holds." in former
    assert "Where it comes from" not in former
    assert admin.get("/statement/?version=99").status_code == 404


def test_a_shop_without_one_is_told_the_remedy(admin: Client) -> None:
    RecommendationStatement.objects.all().delete()
    assert "start the migrations again" in shown(admin)


def test_many_versions_are_several_pages(admin: Client, weights: BlendWeights) -> None:
    home = Placement.objects.get(name="home")
    for number in range(VERSIONS):
        set_placement(placement=home, changes={"diversity": number / 100}, by=None)
    newest = RecommendationStatement.objects.latest("number").number
    assert f">s{newest - VERSIONS + 1}</a>" in shown(admin)
    assert f">s{newest - VERSIONS}</a>" not in shown(admin)
    last = shown(admin, "?page=2")
    assert ">s1</a>" in last
    assert f"Version {newest} holds since" in last
