"""What Recsite answers about how alike items are: plain dictionaries, as the JSON is."""

from typing import TypedDict

from recsite_client.answers import Product
from recsite_client.hints import NotRequired


class LikenessParts(TypedDict):
    """How alike two items are, 0 to 1; None: cannot be known."""

    text: float | None
    picture: float | None
    behaviour: float | None


class AlikeResult(TypedDict):
    item_id: str
    rank: int
    likeness: LikenessParts
    product: NotRequired[Product]


class AlikeAnswer(TypedDict):
    """Items that are alike, the most alike first."""

    item_id: str
    by: str
    model_version: str | None
    results: list[AlikeResult]
