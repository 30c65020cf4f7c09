"""Examples of what a customer says they like, for ``/api/docs/``."""

from recommendations.api.examples import answer, request

_TASTE = {"categories": ["Shoes > Running"], "item_ids": ["SKU1"], "tags": ["new"]}
_GIVEN = {**_TASTE, "stated_at": "2026-11-20T10:02:11Z", "counts": True}
STATED = [
    request("On the day of signing up", {**_TASTE, "tags": ["new", "vegan"]}),
    answer("On disk", {**_GIVEN, "unknown": {"categories": [], "item_ids": [], "tags": ["vegan"]}}),
]
GIVEN = answer("Some likings", _GIVEN)
WITHDRAWN = answer("Forgotten", {"verdict": "withdrawn"})
