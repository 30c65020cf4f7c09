"""The demo's data in the engine's form, straight from the wheel: no database, and no shift of the clock.

The same lines, the same order of items and the same descriptions as after ``load_complete_journey``, so that a figure
of the bench is a figure of the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demo.complete_journey import wheel
from demo.complete_journey.promotions import read_shares
from recommendations.engine.describe.items import with_vectors
from recommendations.engine.describe.text import CountedTexts, count_texts
from recommendations.engine.evaluation.split import Truth, Windows, truths
from recommendations.engine.frames import Promotions
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.matrix import EventWeights, ItemAttributes, TrainingSnapshot, snapshot
from recommendations.engine.preprocess.terms import description, membership, term_counts
from recommendations.event_types import EventName
from recommendations.terms import PATH_SEPARATOR, Task, Trust

WINDOW = 28.0  # days
TEST_CUT = (pd.Timestamp(wheel.LAST_FULL_DAY) - pd.Timestamp(0)).days + 1 - WINDOW  # days since 1970-01-01
WEEKS_AHEAD = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Part of the data: what is known at a cut, and what was bought in the 28 days after it."""

    cut: float
    snapshot: TrainingSnapshot
    truths: dict[Task, Truth]


class Shop:
    """Data of the shop, as the wheel holds them."""

    @cached_property
    def journey(self) -> wheel.Journey:
        return wheel.read_journey()

    @cached_property
    def products(self) -> pd.DataFrame:
        """Products in the order of the shop's item ids as text, as the database numbers them."""
        products = self.journey.products
        return products.iloc[np.argsort(products["product_id"].astype(str).to_numpy(), kind="stable")]

    @cached_property
    def events(self) -> pd.DataFrame:
        lines = self.journey.purchases
        amount = lines["sales_value"].round(2)
        place = pd.Series(np.arange(len(self.products)), index=self.products["product_id"].to_numpy())
        frame = pd.DataFrame(
            {
                "user": lines["household_id"].to_numpy(np.int64),
                "item": lines["product_id"].map(place).to_numpy(np.int64),
                "name": pd.Categorical([EventName.PURCHASE.value] * len(lines)),
                "at": days(lines["transaction_timestamp"]),
                "basket": lines["basket_id"].to_numpy(np.int64),
                "quantity": lines["quantity"].to_numpy(np.float32),
                "price": (lines["sales_value"] / lines["quantity"]).round(2).to_numpy(np.float32),
                "amount": amount.to_numpy(np.float32),
                "rating": np.full(len(lines), np.nan, np.float32),
                "trust": np.full(len(lines), Trust.IMPORT, np.int8),
            }
        )
        return frame.sort_values("at", kind="stable", ignore_index=True)

    @cached_property
    def paths(self) -> list[str]:
        return self.products["path"].tolist()

    @cached_property
    def departments(self) -> list[str]:
        """Department of every item, in the order of ``products``."""
        return [path.split(PATH_SEPARATOR)[0] for path in self.paths]

    @cached_property
    def attributes(self) -> ItemAttributes:
        products, paths = self.products, self.paths
        columns = {path: column for column, path in enumerate(sorted(set(paths)))}
        departments = [path.split(PATH_SEPARATOR)[0] for path in columns]
        described = zip(
            products["title"], products["brand_name"].fillna(""), products["size"].fillna(""), paths, strict=True
        )
        return ItemAttributes(
            ids=np.arange(len(products), dtype=np.int64),
            categories=membership([np.array([columns[path]]) for path in paths], n_columns=len(columns)),
            terms=term_counts(
                description(title, brand=brand, size=size, paths=[path]) for title, brand, size, path in described
            ),
            price=products["price"].to_numpy(np.float32),
            listed_at=days(products["first_sale"]),
            texts=self.texts,
            departments=np.unique(departments, return_inverse=True)[1].astype(np.int32),
        )

    @cached_property
    def texts(self) -> list[str]:
        """What the catalogue says of every item, as the product reads it."""
        columns = self.products[["title", "brand_name", "path", "manufacturer_id", "size"]].astype(object).fillna("")
        return [" ".join(str(part) for part in row if part) for row in columns.itertuples(index=False, name=None)]

    @cached_property
    def counted_texts(self) -> CountedTexts:
        return count_texts(self.texts)

    def part(self, cut: float) -> Part:
        """Make the part of a cut, cleaned by what was known at it."""
        cleaned, _ = clean(self.events[self.events["at"].to_numpy() < cut], until=cut)
        taken = snapshot(cleaned, self.attributes, cut=cut, weights=EventWeights())
        taken = with_vectors(taken, texts=self.counted_texts, ids=self.attributes.ids)
        everything, _ = clean(self.events, until=np.inf)
        return Part(cut=cut, snapshot=taken, truths=truths(everything, taken, window=(cut, cut + WINDOW)))

    @cached_property
    def promoted(self) -> pd.DataFrame:
        """Promotions, one row per week and item: shares of the stores."""
        return read_shares(self.products["product_id"].to_numpy(np.int64)).frame

    def promotions(self, part: Part, *, weeks_ahead: int = WEEKS_AHEAD) -> Promotions:
        """Past promotions, and the plan of so many weeks after the cut: the week that it falls into is the first."""
        frame = self.promoted
        start = days(frame["week"]) - part.cut
        row = part.snapshot.items.rows(frame["item"].to_numpy())
        mask = (row >= 0) & (start < 7 * (weeks_ahead - 1))
        return Promotions(
            item=row[mask],
            start=start[mask].astype(np.float32),
            display=frame["display"].to_numpy(np.float32)[mask],
            mailer=frame["mailer"].to_numpy(np.float32)[mask],
        )


def days(times: pd.Series) -> NDArray[np.float64]:
    """Days since 1970-01-01, whole seconds."""
    return np.asarray(times.astype("datetime64[s]").astype(np.int64), np.float64) / 86_400.0


def windows() -> Windows:
    return Windows(end=TEST_CUT + WINDOW, live=TEST_CUT + WINDOW, days=WINDOW)


def cuts(n: int) -> Sequence[float]:
    """The test cut, the tuning cut, and earlier ones, 28 days apart."""
    return [TEST_CUT - WINDOW * number for number in range(n)]


@cache
def shop() -> Shop:
    return Shop()
