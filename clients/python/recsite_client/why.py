"""Why an item is recommended, as the JSON is, and what the customer can do about it."""

from typing import Literal, TypedDict


class OwnAction(TypedDict):
    """What the customer can do about an item; the link leads to a page that asks first, and is theirs alone."""

    code: Literal["dislike", "object", "my_data"]
    label: str
    url: str


class WhyRecommended(TypedDict):
    """Why an item is shown. Whoever is not known can do nothing about it."""

    text: str
    main_parameters_url: str
    actions: list[OwnAction]
