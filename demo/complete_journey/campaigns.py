"""The 27 campaigns of Complete Journey, with coupons on paper: who got them, and who redeemed what.

Those that were not over when the replay begins are left out, as nobody could know what came of them.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from demo.complete_journey import wheel
from recommendations.services.campaigns.importing import CampaignRecord, ReceiptRow, import_campaign, note_left_out
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.temp_tables import Report, rows

_CUSTOMERS = "SELECT pseudonym, id FROM recommendations_customer WHERE pseudonym = ANY(%(hashes)s)"


def load_campaigns(*, weeks: int, hold_from: pd.Timestamp | None, report: Report) -> int:
    """Import the campaigns that are over, moved by whole weeks; how many receipts are new.

    Receipts of households that are not in the shop are left out without a word: it is a part of the data.
    """
    about, receipts = wheel.read_table("campaign_descriptions"), _receipts()
    over = about if hold_from is None else about[about["end_date"] < hold_from]
    customers = _customers(receipts["household_id"])
    receipts["customer"] = receipts["household_id"].map(customers)
    known = receipts.dropna(subset="customer")
    items = _items()
    new = 0
    for place, row in enumerate(over.sort_values("start_date").to_dict("records"), start=1):
        own = known[known["campaign_id"] == row["campaign_id"]]
        new += import_campaign(_record(row, items, weeks=weeks), _rows(own, row["start_date"], weeks=weeks))
        report("campaigns", place, len(over))
    late = known[~known["campaign_id"].isin(over["campaign_id"])]
    note_left_out(campaigns=len(about) - len(over), receipts=len(late), answers=int(late["answers"].sum()))
    return new


def _receipts() -> pd.DataFrame:
    """One row per campaign and household: how often it redeemed, and when first."""
    sent, redeemed = wheel.read_table("campaigns"), wheel.read_table("coupon_redemptions")
    by_receipt = redeemed.groupby(["campaign_id", "household_id"])["redemption_date"].agg(["size", "min"])
    joined = sent.merge(by_receipt, left_on=["campaign_id", "household_id"], right_index=True, how="left")
    joined = joined.rename(columns={"size": "answers", "min": "first"})
    joined["answers"] = joined["answers"].fillna(0).astype(int)
    return joined


def _items() -> Mapping[int, list[int]]:
    """Keys of the items whose coupons each campaign had, by campaign."""
    coupons = wheel.read_table("coupons").drop_duplicates(["campaign_id", "product_id"])
    stored = rows("SELECT shop_id, id FROM recommendations_item")
    coupons["item"] = coupons["product_id"].map({int(shop_id): key for shop_id, key in stored if shop_id.isdigit()})
    grouped = coupons.dropna(subset="item").groupby("campaign_id")["item"]
    return {int(str(campaign)): [int(key) for key in own] for campaign, own in grouped}


def _customers(households: pd.Series) -> dict[int, int]:
    hashes = {pseudonym(str(household)): int(household) for household in households.unique()}
    return {hashes[bytes(value)]: key for value, key in rows(_CUSTOMERS, hashes=list(hashes))}


def _record(row: Mapping[Hashable, Any], items: Mapping[int, list[int]], *, weeks: int) -> CampaignRecord:
    number = int(row["campaign_id"])
    return CampaignRecord(
        slug=f"coupons-{number}", name=f"Coupons {number}", description=row["campaign_type"].replace("Type ", "Type"),
        starts_at=_moved(row["start_date"], weeks), ends_at=_moved(row["end_date"], weeks), items=items.get(number, []),
    )  # fmt: skip


def _rows(own: pd.DataFrame, start: pd.Timestamp, *, weeks: int) -> list[ReceiptRow]:
    received = _moved(start, weeks)
    columns = (own["customer"].astype(int), own["answers"], own["first"])
    return [
        ReceiptRow(
            customer=customer, received_at=received, answers=answers,
            answered_at=_moved(first, weeks) if answers else None,
        )
        for customer, answers, first in zip(*(column.tolist() for column in columns), strict=True)
    ]  # fmt: skip


def _moved(day: pd.Timestamp, weeks: int) -> datetime:
    moment: datetime = (day + pd.Timedelta(weeks=weeks)).tz_localize("UTC").to_pydatetime()
    return moment
