"""What is sent to the address of a system and is no call of its: it is refused, and told what to send and where."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recommendations.models import Event, Import, Item
from recommendations.terms import Scope
from tests import foreign_bodies as bodies
from tests.api.conftest import ApiClient, problem
from tests.api.events.conftest import results
from tests.api.events.test_call_files import VIEW, counts, run, write

SEGMENTS = {"batch": [bodies.SEGMENT_ORDER, bodies.SEGMENT_VIEW]}
NONE = "This is no call of Segment: it has no “type” or “event”. Send one call, or {“batch”: [1 to 1000 calls]}."
BATCH = "This looks like a Segment batch; send it to /api/v1/events/segment/."
OTHERS = "This looks like a Recombee batch; import such lines by themselves, with --from recombee."
STRANGE: list[tuple[str, Any, str]] = [
    ("segment/", {"events": [VIEW]}, NONE),
    ("segment/", {"data": [VIEW]}, NONE),
    ("segment/", SEGMENTS | {"batch": SEGMENTS}, NONE),
    ("segment/", {}, NONE),
    ("segment/v1/batch", {"type": None}, NONE),
    ("segment/v1/track", {"data": VIEW}, NONE),
    ("segment/", bodies.RECOMBEE_BATCH, "This looks like a Recombee batch; send it to /api/v1/events/recombee/."),
    ("segment/", {"batch": [bodies.VERTEX_PURCHASE]}, "a Vertex UserEvent; send it to /api/v1/events/vertex/."),
    ("recombee/", SEGMENTS, BATCH),
    ("recombee/purchases/", SEGMENTS, BATCH),
    ("recombee/", bodies.RECOMBEE_PURCHASE, "or an interaction to an address of its own, such as /api/v1/events/"),
    ("algolia/", SEGMENTS, BATCH),
    ("algolia/", {"events": [VIEW]}, "This looks like a Segment call; send it to /api/v1/events/segment/."),
    ("ga4/", SEGMENTS, BATCH),
    ("ga4/", {"client_id": "c"}, "it has no “name” or “params”. Send one call, or {“events”: [1 to 1000 calls]}."),
    ("vertex/", SEGMENTS, BATCH),
    ("vertex/", {"data": []}, "it has no “eventType”. Send one call, or {“userEvents”: [1 to 1000 calls]}."),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("where", "body", "message"), STRANGE)
def test_a_body_that_is_no_call_is_refused(
    where: str, body: Any, message: str, client_with: Callable[..., ApiClient]
) -> None:
    answer = problem(client_with(Scope.EVENTS_WRITE).post(f"/api/v1/events/{where}", body), 400)
    assert message in answer["errors"][0]["message"]
    assert {each["verdict"] for each in answer["results"]} == {"rejected"}


@pytest.mark.django_db
def test_an_element_that_is_no_call_loses_no_neighbour(client_with: Callable[..., ApiClient]) -> None:
    Item.objects.create(shop_id="A1", title="A1")
    api = client_with(Scope.EVENTS_WRITE)
    rows = results(api.post("/api/v1/events/segment/", {"batch": [{"properties": {}}, VIEW]}), 202)
    assert [row["verdict"] for row in rows] == ["rejected", "accepted"]
    assert (rows[0]["pointer"], rows[0]["reason"]) == ("/batch/0", NONE)
    kind = results(api.post("/api/v1/events/segment/v1/identify", {"userId": "u", "anonymousId": "a"}), 202)
    assert kind[0]["verdict"] == "accepted"


@pytest.mark.django_db
def test_lines_of_a_file_that_are_no_calls_are_refused(tmp_path: Path) -> None:
    Item.objects.create(shop_id="A1", title="A1")
    file = write(tmp_path / "calls.jsonl", {"data": VIEW}, VIEW, bodies.RECOMBEE_BATCH)
    _output, errors = run(file, "--from", "segment")
    assert counts() == (3, 1, 0, 2)
    assert errors == [
        f"calls.jsonl, line 1, row: {NONE}",
        f"calls.jsonl, line 3, row: {OTHERS}",
    ]
    (tmp_path / "whole.json").write_text(json.dumps({"data": [VIEW, VIEW]}, indent=1))
    run(tmp_path / "whole.json", "--from", "segment")
    assert counts() == (1, 0, 0, 1)
    assert Import.objects.latest("pk").reasons == {NONE: 1}
    assert Event.objects.count() == 1
