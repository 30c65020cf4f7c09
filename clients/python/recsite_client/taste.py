"""What Recsite answers about what a customer said they like: plain dictionaries, as the JSON is."""

from typing import Literal, TypedDict


class TasteAnswer(TypedDict):
    """What a customer said they like; ``counts`` is False of somebody who objected to personalisation."""

    categories: list[str]
    item_ids: list[str]
    tags: list[str]
    stated_at: str | None
    counts: bool


class UnknownTaste(TypedDict):
    categories: list[str]
    item_ids: list[str]
    tags: list[str]


class StatedTasteAnswer(TasteAnswer):
    """What is kept, and what of it the catalogue does not know."""

    unknown: UnknownTaste


class WithdrawnTasteAnswer(TypedDict):
    verdict: Literal["withdrawn", "unchanged"]
