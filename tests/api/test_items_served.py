"""What the shop says of an item holds for the next answer of the model, too."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.terms import Scope
from tests.api.conftest import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.mark.parametrize("placement", ["home", "buy_again", "trending"])
@pytest.mark.parametrize(
    ("method", "fields"),
    [("PATCH", {"available_quantity": 0}), ("PATCH", {"availability": "out_of_stock"}), ("DELETE", {})],
)
def test_the_best_item_is_gone_from_the_next_answer_and_comes_back(
    placement: str,
    method: str,
    fields: dict[str, Any],
    client_with: Callable[..., ApiClient],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    api = client_with(Scope.RECOMMENDATIONS_READ, Scope.CATALOGUE_WRITE)

    def asked() -> list[tuple[str, str]]:
        answer = api.get(f"/api/v1/placements/{placement}/recommend/", user_id="u0", n=8)
        return [(result["item_id"], result["source"]) for result in json.loads(answer.content)["results"]]

    def send(method: str, fields: dict[str, Any]) -> int:
        with django_capture_on_commit_callbacks(execute=True):
            return api.send(method, f"/api/v1/items/{best}/", fields).status_code

    before = asked()
    best, source = before[0]
    assert source == "model" or placement == "trending"
    assert send(method, fields) in {200, 204}
    assert best not in dict(asked())
    assert send("PUT", {"title": best, "brand": "Brand 0", "price": 1}) == 200
    assert best in dict(asked())
