"""How good is what is learned of messages, on Complete Journey? ``make bench-push-quality``; no database.

Always split by time, beside naive baselines, with 95 % intervals: whole customers are drawn, or whole campaigns. The
weeks of the bars are those of the design; the last weeks of the data, Christmas among them, stand beside them.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench.bars import Figure, report
from demo.complete_journey import wheel
from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.push import activity, due, response
from recommendations.engine.push.figures import LEARNED, ModelFigures

SEED = 0
EPOCH = pd.Timestamp("1970-01-01")
BAR_WEEKS_END = pd.Timestamp("2017-12-04")  # tested are the weeks from 2017-10-30, 11-13 and 11-27 on
LAST_WEEKS_END = pd.Timestamp("2018-01-01")
HOURS_FROM = pd.Timestamp("2017-10-30")
CAMPAIGNS_FROM = pd.Timestamp("2017-08-01")
SPAN = pd.Timedelta(days=response.SPAN_DAYS)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.push.quality", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args(argv)
    lines = wheel.read_journey().purchases
    lines["household_id"] = lines["household_id"].astype(int)
    figures = [*of_due(lines), *of_hours(lines), *of_response(lines)]
    return report(figures, protocol={"seed": SEED, "data": wheel.PACKAGE}, path=given.json)


def of_due(lines: pd.DataFrame) -> Iterator[Figure]:
    days = _buying_days(lines)
    for name, end in (("design's weeks", BAR_WEEKS_END), ("last weeks", LAST_WEEKS_END)):
        figures = due.learn(days, end=int(_days(end)), seed=SEED).figures
        if figures is None:
            raise ValueError("the data are too few")
        barred = end == BAR_WEEKS_END
        least = {"top": 0.25, "best_fifth": 0.55} if barred else {}
        for measure in ("top", "best_fifth", "area"):
            yield from _rows(f"due, {name}: {measure}", figures, measure, least=least.get(measure))
        for baseline in (due.MEAN_GAP, due.FREQUENCY):
            gain = figures.gains[baseline]["top"]
            yield from _with_interval(f"due, {name}: top over {baseline}", gain, low=0.0 if barred else None)
        worst = max(abs(tenth.was - tenth.said) / tenth.said for tenth in figures.tenths)
        yield Figure(f"due, {name}: most that a tenth is off, of what it says", worst)


def of_hours(lines: pd.DataFrame) -> Iterator[Figure]:
    trips = lines.drop_duplicates("basket_id")
    user, _ = pd.factorize(trips["household_id"], sort=True)
    at = trips["transaction_timestamp"]
    hour = (at.dt.day_of_week * activity.HOURS + at.dt.hour).to_numpy(np.int32)
    late = (at >= HOURS_FROM).to_numpy()
    earlier = activity.activity_of(user[~late].astype(np.int32), hour[~late], n_users=int(user.max()) + 1)
    figures = activity.judged(earlier, user[late], hour[late], seed=SEED)
    bars = {LEARNED: (0.245, None), activity.EVERYBODY: (None, 0.235)}
    for name, of in figures.table.items():
        least, most = bars.get(name, (None, None))
        yield Figure(f"hours: within the said three, {name}", of["within"].value, least=least, most=most)
        yield from _interval(f"hours: within the said three, {name}", of["within"])
    yield from _with_interval("hours: over everybody's", figures.gains[activity.EVERYBODY]["within"], low=0.0)


def of_response(lines: pd.DataFrame) -> Iterator[Figure]:
    receipts = _receipts(lines)
    figures = response.judged(receipts, cut=_days(CAMPAIGNS_FROM), seed=SEED)
    if figures is None:
        raise ValueError("the data are too few")
    yield Figure("response: receipts that teach", figures.counts["lessons"])
    yield Figure("response: receipts that test", figures.counts["tested"])
    for measure, least in (("area", 0.80), ("best_tenth", 3.5), ("half", 0.80)):
        yield from _rows(f"response: {measure}", figures, measure, least=least)
    yield from _with_interval("response: area over own rate", figures.gains[response.OWN_RATE]["area"], low=0.0)


def _rows(words: str, figures: ModelFigures, measure: str, *, least: float | None) -> Iterator[Figure]:
    """The model with its bar, then its baselines."""
    for name, of in figures.table.items():
        yield Figure(f"{words}, {name}", of[measure].value, least=least if name == LEARNED else None)
        yield from _interval(f"{words}, {name}", of[measure])


def _with_interval(words: str, gain: Measure, *, low: float | None) -> Iterator[Figure]:
    yield Figure(words, gain.value)
    yield Figure(f"{words}, 95 % from", gain.low, least=low)
    yield Figure(f"{words}, 95 % to", gain.high)


def _interval(words: str, measure: Measure) -> Iterator[Figure]:
    yield Figure(f"{words}, 95 % from", measure.low)
    yield Figure(f"{words}, 95 % to", measure.high)


def _buying_days(lines: pd.DataFrame) -> due.BuyingDays:
    user, _ = pd.factorize(lines["household_id"], sort=True)
    item, products = pd.factorize(lines["product_id"], sort=True)
    day = np.floor((lines["transaction_timestamp"] - EPOCH) / pd.Timedelta(days=1)).astype(int)
    once = pd.DataFrame({"user": user, "item": item, "day": day}).drop_duplicates()
    once = once.sort_values(["user", "item", "day"])
    columns = {name: once[name].to_numpy(np.int32) for name in ("user", "item", "day")}
    return due.BuyingDays(**columns, n_items=len(products))


def _receipts(lines: pd.DataFrame) -> response.Receipts:
    """Receipts of all campaigns with their features as of each start."""
    sent, coupons, used = (wheel.read_table(name) for name in ("campaigns", "coupons", "coupon_redemptions"))
    about = wheel.read_table("campaign_descriptions").sort_values(["start_date", "campaign_id"], ignore_index=True)
    for table in (sent, used):
        table["household_id"] = table["household_id"].astype(int)
    starts = about.set_index("campaign_id")["start_date"]
    parts = []
    for number, campaign in enumerate(about.itertuples()):
        start, kind = pd.Timestamp(str(campaign.start_date)), str(campaign.campaign_type)
        people = np.unique(sent.loc[sent["campaign_id"] == campaign.campaign_id, "household_id"])
        items = coupons.loc[coupons["campaign_id"] == campaign.campaign_id, "product_id"].unique()
        earlier = sent[sent["campaign_id"].map(starts) < start]
        before = used[used["redemption_date"] < start]
        part = _features(lines, people, items, start)
        received = earlier.groupby("household_id").size().reindex(people).fillna(0)
        answered = before.groupby("household_id")["campaign_id"].nunique().reindex(people).fillna(0)
        part["answer_rate"] = (answered + 0.1) / (received + 1)
        part["size"] = len(items)
        part["broad"], part["chosen"] = float(kind == "Type A"), float(kind == "Type B")
        part["answered"] = part.index.isin(used.loc[used["campaign_id"] == campaign.campaign_id, "household_id"])
        parts.append(part.assign(campaign=number))
    whole = pd.concat(parts)
    return response.Receipts(
        campaign=whole["campaign"].to_numpy(np.int32),
        columns=response.logged(whole[list(response.FEATURES)].to_numpy(np.float64)),
        answered=whole["answered"].to_numpy(np.bool_),
        starts=np.array([_days(start) for start in about["start_date"]]),
        ends=np.array([_days(end) for end in about["end_date"]]),
    )


def _features(lines: pd.DataFrame, people: np.ndarray, items: np.ndarray, start: pd.Timestamp) -> pd.DataFrame:
    """Features of purchases in the 84 days before the start, by household."""
    at = lines["transaction_timestamp"]
    past = lines[(at < start) & (at >= start - SPAN)]
    own = past.groupby("household_id")
    part = pd.DataFrame(index=people)
    part["trips"] = past["transaction_timestamp"].dt.normalize().groupby(past["household_id"]).nunique()
    part["spend"] = own["sales_value"].sum()
    part["own_lines"] = past[past["product_id"].isin(items)].groupby("household_id").size()
    part["coupon_lines"] = past[past["coupon_disc"] > 0].groupby("household_id").size()
    part["since_trip"] = (start - own["transaction_timestamp"].max()).dt.total_seconds() / 86_400
    return part.fillna({"since_trip": float(response.SPAN_DAYS)}).fillna(0.0)


def _days(moment: pd.Timestamp) -> float:
    return float((moment - EPOCH) / pd.Timedelta(days=1))


if __name__ == "__main__":
    sys.exit(main())
