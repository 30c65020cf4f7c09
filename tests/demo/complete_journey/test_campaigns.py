"""The 27 campaigns of Complete Journey: every receipt and redemption accounted for, twice is once."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from django.db.models import Count, Max, Sum

from demo.complete_journey import wheel
from demo.complete_journey.campaigns import load_campaigns
from recommendations.models import Campaign, Customer, ImportedReceipt, Item
from recommendations.push_terms import CampaignKind
from recommendations.services.campaigns.importing import left_out
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.temp_tables import silent

pytestmark = pytest.mark.django_db
RECEIPTS, REDEMPTIONS = 6_589, 2_102  # rows of the source


@pytest.fixture
def everybody() -> None:
    """All households that got a campaign, and one item with a coupon."""
    households = wheel.read_table("campaigns")["household_id"].unique()
    Customer.objects.bulk_create(Customer(pseudonym=pseudonym(str(each))) for each in households)
    Item.objects.create(shop_id="9676830", title="Salad")


@pytest.mark.usefixtures("everybody")
def test_every_receipt_and_redemption_is_there_and_a_second_time_adds_nothing() -> None:
    assert load_campaigns(weeks=100, hold_from=None, report=silent) == RECEIPTS
    counted = ImportedReceipt.objects.aggregate(receipts=Count("pk"), answers=Sum("answers"))
    assert counted == {"receipts": RECEIPTS, "answers": REDEMPTIONS}
    assert (Campaign.objects.count(), Campaign.objects.live().count()) == (27, 0)
    assert left_out() == {"campaigns": 0, "receipts": 0, "answers": 0}
    assert load_campaigns(weeks=100, hold_from=None, report=silent) == 0
    assert ImportedReceipt.objects.count() == RECEIPTS


@pytest.mark.usefixtures("everybody")
def test_what_is_not_over_before_the_replay_is_left_out_and_counted() -> None:
    hold_from = pd.Timestamp("2017-12-19")
    load_campaigns(weeks=100, hold_from=hold_from, report=silent)
    out = left_out()
    kept = ImportedReceipt.objects.aggregate(receipts=Count("pk"), answers=Sum("answers"), last=Max("answered_at"))
    assert kept["receipts"] + out["receipts"] == RECEIPTS
    assert kept["answers"] + out["answers"] == REDEMPTIONS
    assert (Campaign.objects.count(), out["campaigns"]) == (21, 6)
    assert kept["last"] < datetime(2017, 12, 19, tzinfo=UTC) + pd.Timedelta(weeks=100)


@pytest.mark.usefixtures("everybody")
def test_a_campaign_keeps_its_days_its_kind_and_its_items() -> None:
    load_campaigns(weeks=1, hold_from=None, report=silent)
    stored = Campaign.objects.get(slug="coupons-26")
    assert stored.kind == CampaignKind.IMPORTED
    assert stored.draft == {
        "description": "TypeB", "starts": "2017-01-04T00:00:00+00:00", "ends": "2017-02-26T00:00:00+00:00",
        "items": [Item.objects.get().pk],
    }  # fmt: skip
    assert stored.ended_at == datetime(2017, 2, 26, tzinfo=UTC)


def test_households_that_are_not_in_the_shop_are_left_out() -> None:
    Customer.objects.create(pseudonym=pseudonym("105"))
    own = wheel.read_table("campaigns")
    assert load_campaigns(weeks=1, hold_from=None, report=silent) == (own["household_id"] == 105).sum()
