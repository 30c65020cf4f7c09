"""Types of the fields that a shop sends, with their limits, for the API's forms and for the checks of files."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

LONGEST_ID = 128
LONGEST_TEXT = 100_000
LONGEST_LEVEL, LONGEST_PATH = 200, 500  # of a category
LONGEST_TAG = 100
LONGEST_LANGUAGE = 35
LONGEST_PROPERTY, LONGEST_PROPERTY_TEXT = 60, 200  # of a customer: its name, its value
MOST_PROPERTIES = 50
LARGEST_AMOUNT = Decimal("9999999999.99")  # numeric(12, 2)
ODD_AMOUNT = 1_000_000  # of a line; from a page one above it counts for nothing, from elsewhere staff are asked
ODD_FACTOR = 20  # times the catalogue's price, likewise
MOST_LINES = 200  # of one event
LAST_POSITION = 32_767
AHEAD = timedelta(minutes=10)  # how far the clock of a shop may be
PAST = timedelta(days=730)  # how old an event may be that the API takes; older ones come as files
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
TARGETS = ("customer", "brand", "category", "creator", "collection")
"""What can be followed; of the last four the id is the name that the catalogue has for it."""
ADDRESSES = ("https://", "http://", "/")

type Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
type SlateId = Annotated[str, Meta(min_length=1, max_length=64)]
type Word = Annotated[str, Meta(max_length=64)]
type SearchTerm = Annotated[str, Meta(max_length=512)]
type Title = Annotated[str, Meta(min_length=1, max_length=300)]
type Brand = Annotated[str, Meta(max_length=200)]
"""A name of a brand, a creator or a collection."""
type Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
type Address = Annotated[str, Meta(max_length=1_000, description="Begins with https://, http:// or /.")]
type Path = Annotated[str, Meta(max_length=LONGEST_PATH, description="From the root: Shoes > Running.")]
type Language = Annotated[str, Meta(max_length=LONGEST_LANGUAGE, description="A BCP 47 tag: en, zh-Hans.")]
type Tag = Annotated[str, Meta(min_length=1, max_length=LONGEST_TAG)]

type Quantity = (
    Annotated[int, Meta(ge=1, le=1_000_000)]
    | Annotated[float, Meta(ge=0.001, le=1_000_000, description="Up to three places: 0.75 of a kilogram.")]
)
type Position = Annotated[int, Meta(ge=0, le=LAST_POSITION)]
type Count = Annotated[int, Meta(ge=0, le=2_147_483_647)]
type Rating = Annotated[float, Meta(ge=0, le=1_000_000)]
type Progress = Annotated[float, Meta(ge=0, le=1)]
type RatingScale = Annotated[float, Meta(gt=0, le=1_000_000)]
type Money = Annotated[Decimal, Meta(description=f"Between 0 and {LARGEST_AMOUNT}, rounded to cents.")]
