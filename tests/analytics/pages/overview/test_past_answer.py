"""The page of a past answer: then and now with the cause, or why it cannot be made again."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Item, RuleBook, Slate
from recommendations.services.catalogue.editing import update_item
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.live import fetch, writes
from recommendations.store.serving.answer_parts import forget_parts
from recommendations.store.serving.slates import write_slates

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def slate(_empty_valkey: None) -> Slate:
    writes.rebuild()
    answer = serve(Request(placement="home", user_id="u0", n=8), now=timezone.now())
    write_slates()
    return Slate.objects.get(recommendation_id=answer.recommendation_id)


def test_the_page_shows_then_and_now_and_the_cause(admin: Client, slate: Slate) -> None:
    pin = {
        "id": 1, "name": "Soap", "placement": None, "segment": None, "customer": None, "context": [],
        "starts_at": None, "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["soap-3"]}],
        "action": "pin", "slot": 1, "strength": None, "most": None, "per": "", "share": None,
    }  # fmt: skip
    RuleBook.objects.create(number=5, is_default=True, rules=[pin])
    bread = Item.objects.get(shop_id="bread-9")
    update_item(item=bread, changes={"price": Decimal("9.87")}, by=None, now=timezone.now())
    fetch.announce(fetch.Changed.RULES)
    page = admin.get(f"/answers/{slate.recommendation_id}/again/").content.decode()
    assert "Made again exactly" in page
    assert "Rules" in page
    assert Item.objects.get(shop_id="soap-3").title in page
    table = page[page.index('class="bars"') :]
    shares = dict(re.findall(r'<th scope="row">(.*?)</th>.*?<td class="num">(.*?)</td>', table)[:5])
    assert shares["The catalogue: prices, stock, categories"] == "0.0%"  # it is another one, and no matter here
    assert shares["The model"] == shares["Weights and settings of the placement"] == "as then"
    assert shares["Rules"] not in {"0.0%", "as then"}
    assert admin.get("/answers/r-none/again/").status_code == 404
    assert (
        f"/answers/{slate.recommendation_id}/again/"
        in admin.get(f"/answers/{slate.recommendation_id}/").content.decode()
    )


def test_an_answer_that_cannot_be_made_again_is_shown_with_the_reason(admin: Client, slate: Slate) -> None:
    forget_parts(timezone.now().date().replace(year=2100))
    page = admin.get(f"/answers/{slate.recommendation_id}/again/").content.decode()
    assert "cannot be made again" in page
    assert "30 days" in page
    assert Item.objects.get(pk=slate.items[0]).title in page
