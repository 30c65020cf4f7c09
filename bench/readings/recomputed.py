"""The sums of an experiment a second way: plain rows of slates and events, put together by pandas.

It shares no statement with the product, only what its documents say counts: a person under all keys, from the first
answer under an arm for 28 days, what was bought less what was given back whole. Nothing may be set aside, and each
order's item told once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import psycopg

WINDOW = timedelta(days=28)
SLOWEST = 1_000.0  # milliseconds

type Sums = dict[tuple[int, str], dict[str, float]]
"""By arm and metric: n, y, yy, x, xx, xy."""


@dataclass(frozen=True, kw_only=True)
class ExperimentRecord:
    """Rows that an experiment's sums are made of; times are in UTC."""

    start: pd.Timestamp
    now: pd.Timestamp
    arms: Sequence[int]
    caps: Mapping[str, float]
    slates: pd.DataFrame  # id, at, unit, arm (−1: none of them), fallback, ms
    outcomes: pd.DataFrame  # id, clicked, listed
    attributed: pd.DataFrame  # id, at, amount
    customers: pd.DataFrame  # customer, unit, personalise, whole
    events: pd.DataFrame  # customer, name, at, transaction, item, quantity, amount


def frame(connection: psycopg.Connection[Any], statement: str, names: Sequence[str], *values: Any) -> pd.DataFrame:
    """Rows of a statement as a table."""
    return pd.DataFrame(connection.execute(statement, values).fetchall(), columns=list(names))


def record_of(connection: psycopg.Connection[Any], experiment: int, *, now: datetime) -> ExperimentRecord:
    """Read the rows of an experiment; clicks and attributed lines are those that the product stored."""
    row = connection.execute(
        "SELECT started_at, caps::text FROM recommendations_experiment WHERE id = %s", [experiment]
    )
    start, caps = row.fetchone() or (now, "{}")
    arms = [key for (key,) in connection.execute("SELECT id FROM recommendations_arm WHERE experiment_id = %s",
                                                 [experiment])]  # fmt: skip
    slates = frame(
        connection,
        """SELECT recommendation_id, served_at, unit,
                  coalesce((SELECT min(arm) FROM unnest(arms) AS arm WHERE arm = ANY(%s)), -1),
                  fallback_reason <> '', least(latency_us / 1000.0::float8, 1000)
           FROM recommendations_slate WHERE served_at BETWEEN %s AND %s AND unit IS NOT NULL AND placement = 'home'""",
        ("id", "at", "unit", "arm", "fallback", "ms"), arms, start, now,
    )  # fmt: skip
    return ExperimentRecord(
        start=pd.Timestamp(start), now=pd.Timestamp(now), arms=arms, caps=json.loads(caps), slates=slates,
        outcomes=frame(
            connection, "SELECT recommendation_id, cardinality(clicked) > 0, listed FROM recommendations_slateoutcome",
            ("id", "clicked", "listed"),
        ),
        attributed=frame(
            connection,
            """SELECT recommendation_id, occurred_at, (amount - refunded)::float8 FROM recommendations_attributedline
               WHERE name = 'purchase' AND kept""",
            ("id", "at", "amount"),
        ),
        customers=_customers(connection),
        events=frame(
            connection,
            """SELECT customer_id, name, occurred_at, transaction_id, item_id, coalesce(quantity, 1),
                      coalesce(amount, 0)::float8
               FROM recommendations_event WHERE name IN ('purchase', 'refund', 'dislike_item')
                 AND customer_id IS NOT NULL AND occurred_at BETWEEN %s AND %s""",
            ("customer", "name", "at", "transaction", "item", "quantity", "amount"), start - WINDOW, now,
        ),
    )  # fmt: skip


def _customers(connection: psycopg.Connection[Any]) -> pd.DataFrame:
    customers = frame(
        connection, "SELECT id, pseudonym, personalise FROM recommendations_customer",
        ("customer", "pseudonym", "personalise"),
    )  # fmt: skip
    customers["unit"] = [int.from_bytes(bytes(each)[:8], "big", signed=True) for each in customers["pseudonym"]]
    merged = dict(
        connection.execute(
            "SELECT anonymous_id, customer_id FROM recommendations_customeralias WHERE undone_at IS NULL"
        ).fetchall()
    )
    customers["whole"] = [merged.get(key, key) for key in customers["customer"]]
    return customers[["customer", "unit", "personalise", "whole"]]


def sums_of(record: ExperimentRecord) -> Sums:
    """Sums over the people of each arm."""
    slates, people = _named(record)
    slates = slates.merge(people, left_on="person", right_index=True)
    slates = slates[(slates["at"] >= slates["first_at"]) & (slates["at"] <= slates["until"])]
    table = people.join([_answered(slates, record), _tied(slates, record), *_did(people, record)]).fillna(0.0)
    cap, tied_cap = (record.caps.get(name, np.inf) for name in ("revenue", "attributed"))
    table["capped"] = table["revenue"].clip(upper=cap)
    table["earlier"] = table["earlier"].clip(upper=cap)
    within = (cap / table["paid"].where(table["paid"] > 0)).clip(upper=1).fillna(0.0)
    listed = bool(table["listed"].sum())
    zero = pd.Series(0.0, table.index)
    columns = {
        "revenue": (table["capped"], table["earlier"]), "converted": ((table["orders"] > 0).astype(float), zero),
        "orders": (table["orders"], zero), "items_per_basket": (table["items"], table["orders"]),
        "basket_value": (table["capped"], table["orders"]),
        "ctr": (table["clicked"], table["seen"] if listed else table["answers"]),
        "attributed": (table["tied"].clip(upper=tied_cap), zero),
        "refunds": (table["refunded"] * within, table["paid"] * within),
        "fallback": (table["fallback"], table["answers"]), "latency": (table["ms"], table["timed"]),
        "dislikes": (table["dislikes"], zero),
    }  # fmt: skip
    return {
        (int(arm), name): _moments(y[table["arm"] == arm], x[table["arm"] == arm])
        for arm in record.arms
        for name, (y, x) in columns.items()
    }


def mixed_people(record: ExperimentRecord) -> int:
    """How many people saw two arms."""
    slates = _with_people(record)
    exposed = slates[slates["arm"] >= 0]
    return int((exposed.groupby("person")["arm"].nunique() > 1).sum())


def _with_people(record: ExperimentRecord) -> pd.DataFrame:
    """Slates with the person: the whole customer's key, or below 0 the number of a unit without one."""
    slates = record.slates.merge(record.customers, on="unit", how="left")
    numbers = -1 - pd.Series(pd.factorize(slates["unit"])[0], slates.index)
    return slates.assign(person=slates["whole"].fillna(numbers).astype("int64"))


def _named(record: ExperimentRecord) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slates with their person; and of who counts the arm, the first answer, and the end of the window."""
    slates = _with_people(record)
    exposed = slates[slates["arm"] >= 0].sort_values(["at", "id"])
    people = exposed.groupby("person").agg(arm=("arm", "first"), first_at=("at", "min"), arms=("arm", "nunique"))
    objecting = set(record.customers.loc[~record.customers["personalise"], "whole"])
    people = people[(people["arms"] == 1) & ~people.index.isin(objecting)]
    until = people["first_at"] + WINDOW
    people = people.assign(until=until.where(until < record.now, record.now))
    return slates[["id", "at", "person", "fallback", "ms"]], people[["arm", "first_at", "until"]]


def _answered(slates: pd.DataFrame, record: ExperimentRecord) -> pd.DataFrame:
    own = slates.merge(record.outcomes, on="id", how="left", indicator="seen")
    own["seen"] = own["seen"] == "both"
    own[["clicked", "listed"]] = own[["clicked", "listed"]].eq(True)  # noqa: FBT003 - missing is not
    grouped = own.groupby("person")
    sums = grouped[["fallback", "ms", "seen", "clicked", "listed"]].sum().astype(float)
    return sums.assign(answers=grouped.size().astype(float), timed=grouped["ms"].count().astype(float))


def _tied(slates: pd.DataFrame, record: ExperimentRecord) -> pd.DataFrame:
    lines = record.attributed.merge(slates[["id", "person", "first_at", "until"]], on="id")
    lines = lines[(lines["at"] >= lines["first_at"]) & (lines["at"] <= lines["until"])]
    return lines.groupby("person")[["amount"]].sum().rename(columns={"amount": "tied"})


def _did(people: pd.DataFrame, record: ExperimentRecord) -> list[pd.DataFrame]:
    """What people bought and gave back, by what was so before and after the first answer, and disliked."""
    events = record.events.merge(record.customers[["customer", "whole"]], on="customer")
    events = events.merge(people, left_on="whole", right_index=True)
    own = events[(events["at"] >= events["first_at"] - WINDOW) & (events["at"] <= events["until"])]
    bought = own[own["name"] == "purchase"].assign(before=own["at"] < own["first_at"])
    keys = ["whole", "before", "transaction", "item"]
    lines = bought.groupby(keys).agg(
        amount=("amount", "sum"), quantity=("quantity", "sum"), at=("at", "min"), first_at=("first_at", "first"),
        until=("until", "first"),
    ).reset_index()  # fmt: skip
    refunds = events.loc[events["name"] == "refund", ["whole", "transaction", "item", "at"]]
    pairs = lines.merge(refunds.rename(columns={"at": "back_at"}), on=["whole", "transaction", "item"])
    in_time = np.where(pairs["before"], pairs["back_at"] < pairs["first_at"], pairs["back_at"] <= pairs["until"])
    back = pairs[in_time & (pairs["back_at"] >= pairs["at"])][keys].drop_duplicates()
    lines = lines.merge(back.assign(back=True), on=keys, how="left")
    lines["back"] = lines["back"].eq(True)  # noqa: FBT003
    after, earlier = lines[~lines["before"]], lines[lines["before"] & ~lines["back"]]
    stays, gone = after[~after["back"]].groupby("whole"), after[after["back"]].groupby("whole")
    disliked = own[(own["name"] == "dislike_item") & (own["at"] >= own["first_at"])]
    return [
        stays["amount"].sum().to_frame("revenue"), stays["quantity"].sum().astype(float).to_frame("items"),
        stays["transaction"].nunique().astype(float).to_frame("orders"), gone["amount"].sum().to_frame("refunded"),
        after.groupby("whole")["amount"].sum().to_frame("paid"),
        earlier.groupby("whole")["amount"].sum().to_frame("earlier"),
        disliked.groupby("whole").size().astype(float).to_frame("dislikes"),
    ]  # fmt: skip


def _moments(y: pd.Series, x: pd.Series) -> dict[str, float]:
    one, other = y.to_numpy(float), x.to_numpy(float)
    return {
        "n": float(len(one)), "y": float(one.sum()), "yy": float(one @ one), "x": float(other.sum()),
        "xx": float(other @ other), "xy": float(one @ other),
    }  # fmt: skip


def largest_difference(one: Sums, other: Sums) -> float:
    """Largest difference of any sum of two, as a share of it; infinite where only one has an arm's metric."""
    if one.keys() != other.keys():
        return float("inf")
    return max(
        abs(one[key][name] - other[key][name]) / max(abs(other[key][name]), 1.0) for key in one for name in one[key]
    )
