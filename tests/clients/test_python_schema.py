"""The Python client says what the schema says: every operation, every field; and real answers are as typed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args, get_type_hints, is_typeddict
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from jsonschema import Draft202012Validator

from recommendations.api.schema import document
from recsite_client import Client, ProblemError, agents, answers, bodies, likeness, new_event, privacy, taste
from tests.clients.conftest import Recsite, Server

pytestmark = pytest.mark.django_db

type Call = Callable[[Client], Any]

ITEM: bodies.Item = {
    "item_id": "new/1", "title": "Green tea", "price": Decimal("4.50"), "categories": ["FOOD > TEA"],
    "brand": "Brand 1", "availability": "in_stock", "available_quantity": 3,
    "available_time": datetime(2026, 9, 1, tzinfo=UTC), "tags": ["green"], "attributes": {"origin": "Assam"},
    "rating": {"average": 4.5, "count": 2},
}  # fmt: skip
FIELDS: bodies.ItemFields = {name: value for name, value in ITEM.items() if name != "item_id"}  # type: ignore[assignment]
EVENT: bodies.EventFields = {
    "user_id": "u3", "anonymous_id": "a3", "session_id": "s3", "value": Decimal("2.00"), "currency": "USD",
    "items": [{"item_id": "tea-1", "quantity": 1, "price": "2.00", "index": 3}], "recommendation_id": "r-1",
    "context": {"channel": "web", "page": "/tea-1", "locale": "en"}, "consent": {"personalisation": True},
}  # fmt: skip
STATEMENT: bodies.PurposeStatement = {
    "purpose": "for_you", "state": "given", "channel": "email", "at": datetime(2026, 9, 1, tzinfo=UTC),
    "proof": {"form": "checkout"},
}  # fmt: skip
CONTACT: bodies.ContactFields = {
    "email": "ann@example.com", "language": "en", "time_zone": "Europe/Paris", "confirmed": True,
    "consents": [STATEMENT],
}  # fmt: skip
CONTACTS: list[bodies.ContactEntry] = [{"user_id": "u4", "language": "zh-CN"}, {"user_id": "u5", "email": "nobody"}]
WISH: bodies.BesideWish = {
    "user_id": "u3", "session_id": "s3", "n": 4, "exclude_item_ids": ["tea-9", "tea-8"], "diversity": 0.2,
    "fallback": "popular", "personalise": True, "lang": "en", "fields": ["product", "reasons"], "dry_run": True,
    "rotation": 0.5, "cursor": "AQECAkQC0eA",
}  # fmt: skip
CONTEXT: bodies.Context = {"item_ids": ["tea-1"], "basket": ["tea-2"], "categories": ["FOOD"], "search_term": "tea"}
SLOTS: list[bodies.SlotWish] = [{"placement": "home", "n": 3}]
FILTER: bodies.Filter = {"price": {"gte": 1, "lte": Decimal(9)}, "categories": ["FOOD"], "in_stock": True}  # type: ignore[typeddict-item]
RICH: bodies.Filter = {
    "item_ids": ["tea-1", "tea-2"], "not_brand": ["Brand 2"], "not_categories": ["FOOD > SOAP"], "tags": ["a"],
    "not_tags": ["b"], "attributes": {"colour": ["red"], "pack": [2], "vegan": [True]},
}  # fmt: skip
BOOSTS: list[bodies.Boost] = [{"filter": RICH, "strength": 50, "name": "Summer"}, {"filter": FILTER, "strength": -5}]

# Everything that the client can do, in an order in which it can be done, and what the answer is.
CALLS: list[tuple[str, Call, Any]] = [
    ("send_events", lambda client: client.send_events([new_event("view_item", **EVENT)]), answers.EventsAnswer),
    ("merge_users", lambda client: client.merge_users(anonymous_id="a3", user_id="u3"), answers.MergeAnswer),
    ("prove", lambda client: client.prove(user_id="u3", anonymous_id="a3"), answers.IdentityAnswer),
    (
        "change_customer",
        lambda client: client.change_customer("u3", properties={"city": "Rome", "age": 40, "vip": True, "old": None}),
        answers.CustomerVerdict,
    ),
    (
        "state_taste",
        lambda client: client.state_taste("u3", categories=["FOOD > TEA"], item_ids=["tea-1", "gone"]),
        taste.StatedTasteAnswer,
    ),
    ("taste", lambda client: client.taste("u3"), taste.TasteAnswer),
    ("withdraw_taste", lambda client: client.withdraw_taste("u3"), taste.WithdrawnTasteAnswer),
    ("put_contact", lambda client: client.put_contact("u3", **CONTACT), answers.StoredContact),
    ("patch_contact", lambda client: client.patch_contact("u3", time_zone=None), answers.StoredContact),
    ("contact", lambda client: client.contact("u3"), answers.ContactState),
    ("contacts", lambda client: client.contacts(CONTACTS), answers.ContactsAnswer),
    ("erase_contact", lambda client: client.erase_contact("u3"), answers.ErasureReceipt),
    ("messages", lambda client: client.messages("u3", n=2, before="9"), answers.CustomerMessages),
    ("recommend", lambda client: client.recommend("home"), answers.Recommendations),
    ("recommend", lambda client: client.recommend("home", context=CONTEXT, **WISH), answers.Recommendations),
    ("recommend", lambda client: client.recommend("cart", context=CONTEXT, filter=FILTER), answers.Recommendations),
    ("recommend", lambda client: client.recommend("home", filter=RICH, boosts=BOOSTS), answers.Recommendations),
    ("recommend", lambda client: client.recommend("home", boosts=BOOSTS, **WISH), answers.Recommendations),
    ("recommend_page", lambda client: client.recommend_page("cart"), answers.PageRecommendations),
    (
        "recommend_page",
        lambda client: client.recommend_page(
            "home", user_id="u3", context=CONTEXT, slots=SLOTS, boosts=BOOSTS, rotation=1.0
        ),
        answers.PageRecommendations,
    ),
    ("similar", lambda client: client.similar("tea-1", **WISH), answers.Recommendations),
    (
        "alike", lambda client: client.alike("tea-1", by="text", n=3, exclude_item_ids=["tea-2"], fields=["product"]),
        likeness.AlikeAnswer,
    ),
    ("also_bought", lambda client: client.also_bought("tea-1"), answers.Recommendations),
    (
        "recommend_to_many",
        lambda client: client.recommend_to_many("email", [{"user_id": "u3"}, {"anonymous_id": "a9"}], n=3),
        answers.BatchAnswer,
    ),
    ("interests", lambda client: client.interests("u3", n=2), answers.Interests),
    ("put_item", lambda client: client.put_item("new/1", **FIELDS), answers.ItemVerdict),
    ("change_item", lambda client: client.change_item("new/1", price=None, title="Tea"), answers.ItemVerdict),
    ("put_items", lambda client: client.put_items([ITEM]), answers.ItemsAnswer),
    ("change_items", lambda client: client.change_items([{"item_id": "new/1", "brand": None}]), answers.ItemsAnswer),
    ("retire_item", lambda client: client.retire_item("new/1"), None),
    ("experiments", lambda client: client.experiments(), answers.ExperimentsAnswer),
    ("agents", lambda client: client.agents(), agents.AgentsAnswer),
    ("export_user", lambda client: client.export_user("u8", lang="zh-hans", reference="t-1"), privacy.TakenRequest),
    (
        "erase_user", lambda client: client.erase_user(user_id="u8", anonymous_ids=["a8"], mode="block"),
        privacy.TakenRequest,
    ),
    ("erase_users", lambda client: client.erase_users([{"user_id": "u8"}]), privacy.TakenRequests),
    (
        "say_purpose",
        lambda client: client.say_purpose(user_id="u7", purpose="measure", state="refused", proof={"form": "x"}),
        privacy.AllowedPurposes,
    ),
    ("privacy_link", lambda client: client.privacy_link("u8", minutes=5, lang="en"), privacy.OwnPageLink),
    ("held_about", lambda client: client.held_about("u8"), privacy.CustomerHoldings),
]  # fmt: skip
OF_THE_PAST: list[tuple[str, Call, Any]] = [
    ("answer", lambda client: client.answer("r-1"), answers.StoredAnswer),
    ("answer_again", lambda client: client.answer_again("r-1", weights=2, rules=0), answers.RemadeAnswer),
    ("experiment", lambda client: client.experiment("e1"), answers.ExperimentAnswer),
    ("pause_agent", lambda client: client.pause_agent(reason="x"), agents.PausedAgent),
    ("privacy_request", lambda client: client.privacy_request("7b0c3f0e"), privacy.RequestProgress),
    ("receipts", lambda client: client.receipts("7b0c3f0e"), privacy.ReceiptsAnswer),
    (
        "trigger",
        lambda client: client.trigger("visit", user_id="u3", key="visit-1", item_ids=["tea-1"]),
        answers.TriggerAnswer,
    ),
]  # fmt: skip
"""What asks for something that is not in a shop of a minute; ``tests/api/`` has answers like theirs."""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return dict(json.loads(msgspec.json.encode(document())))


def operations(schema: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What a key of the shop can call, by method and path."""
    return {
        (method, path): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/")
    }


def operation_of(schema: Mapping[str, Any], line: str) -> tuple[str, str]:
    """The operation that a request goes to: a path without parameters before one that has them."""
    method, _, address = line.partition(" ")
    path = urlsplit(address).path
    fitting = [
        (name, template)
        for name, template in operations(schema)
        if name == method.lower() and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    assert fitting, f"{line} is not in the schema"
    return min(fitting, key=lambda each: each[1].count("{"))


def requests_of(call: Call, server: Server) -> list[tuple[str, bytes]]:
    server.got.clear()
    with Client(f"http://127.0.0.1:{server.server_port}", "a.b") as client:
        call(client)
    return list(server.got)


def flaws(schema: Mapping[str, Any], part: Mapping[str, Any], value: Any) -> list[str]:
    whole = {**part, "components": schema["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def test_the_client_can_do_all_that_the_api_does(schema: dict[str, Any], server: Server) -> None:
    done = {operation_of(schema, line) for _, call, _ in CALLS + OF_THE_PAST for line, _ in requests_of(call, server)}
    missing = {path for _method, path in set(operations(schema)) - done}
    of_others = {f"/api/v1/events/{system}/" for system in ("segment", "ga4", "vertex", "recombee", "algolia")}
    of_browsers = {"/api/v1/push/key/", "/api/v1/push/subscriptions/"}
    of_files = {"/api/v1/privacy/requests/{request_id}/download/"}
    for_people = {"/api/v1/main-parameters/"}  # whoever reads it needs no key, and no client
    # other systems' senders call these, the tracker, and curl
    assert missing == of_others | of_browsers | of_files | for_people
    own = {**vars(privacy.PrivacyCalls), **vars(Client)}
    public = {name for name, value in own.items() if callable(value) and not name.startswith("_")}
    assert public - {name for name, _, _ in CALLS + OF_THE_PAST} == {"close"}


@pytest.mark.parametrize(("name", "call", "_answer"), CALLS + OF_THE_PAST)
def test_every_request_fits_the_schema(
    schema: dict[str, Any], server: Server, name: str, call: Call, _answer: Any
) -> None:
    [(line, body)] = requests_of(call, server)
    operation = operations(schema)[operation_of(schema, line)]
    if body:
        [content] = operation["requestBody"]["content"].values()
        assert flaws(schema, content["schema"], json.loads(body)) == []
    parameters = {each["name"]: each["schema"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    for parameter, values in parse_qs(urlsplit(line.partition(" ")[2]).query).items():
        assert flaws(schema, parameters[parameter], read(parameters[parameter], values)) == [], parameter


def read(part: Mapping[str, Any], values: list[str]) -> Any:
    """Values of a query as their schema's type."""
    types = {part.get("type"), *(each.get("type") for each in part.get("anyOf", ()))}
    if "array" in types:
        return [piece for value in values for piece in value.split(",")]
    [value] = values
    return json.loads(value) if types & {"integer", "number", "boolean"} else value


def typed(hint: Any) -> Any:
    """The dictionary type within a hint."""
    if is_typeddict(hint):
        return hint
    parts = [hint.__value__] if hasattr(hint, "__value__") else get_args(hint)
    return next((inner for part in parts if (inner := typed(part))), None)


def object_in(schema: Mapping[str, Any], part: Any) -> Mapping[str, Any] | None:
    """The object with properties within a part of the schema."""
    if not isinstance(part, Mapping):
        return None
    if "$ref" in part:
        return object_in(schema, schema["components"]["schemas"][part["$ref"].rpartition("/")[2]])
    if "properties" in part:
        return part
    inner = [*part.get("anyOf", ()), *part.get("oneOf", ()), part.get("items")]
    return next((nested for each in inner if (nested := object_in(schema, each))), None)


def differences(schema: Mapping[str, Any], part: Any, kind: Any, place: str = "") -> Iterator[str]:
    """Names that only the schema, or only the type, has."""
    described = object_in(schema, part)
    hints, properties = get_type_hints(kind), described["properties"] if described else {}
    yield from (f"{place}/{name}" for name in hints.keys() ^ properties.keys())
    for name in hints.keys() & properties.keys():
        if inner := typed(hints[name]):
            yield from differences(schema, properties[name], inner, f"{place}/{name}")


@pytest.mark.parametrize(("name", "call", "answer"), [each for each in CALLS + OF_THE_PAST if each[2]])
def test_the_types_of_answers_have_the_fields_of_the_schema(
    schema: dict[str, Any], server: Server, name: str, call: Call, answer: Any
) -> None:
    [(line, _)] = requests_of(call, server)
    responses = operations(schema)[operation_of(schema, line)]["responses"]
    good = [part for status, part in responses.items() if status.startswith("2")]
    assert good
    for part in good:
        [content] = part["content"].values()
        either = content["schema"].get("oneOf") or content["schema"].get("anyOf") or [content["schema"]]
        assert [] in [list(differences(schema, each, answer)) for each in either]


def test_the_types_of_bodies_have_the_fields_of_the_schema(schema: dict[str, Any]) -> None:
    def body(method: str, path: str) -> Any:
        return operations(schema)[method, path]["requestBody"]["content"]["application/json"]["schema"]

    def within(part: Any, name: str) -> Any:
        described = object_in(schema, part)
        assert described
        return described["properties"][name]

    many, batch = body("post", "/api/v1/recommendations/batch/"), body("post", "/api/v1/items/batch/")
    pairs = [
        (body("post", "/api/v1/placements/{placement}/recommend/"), bodies.Wish, set()),
        (body("post", "/api/v1/pages/{page}/recommend/"), bodies.PageWish, set()),
        (within(body("post", "/api/v1/events/"), "events"), bodies.Event, set()),
        (body("put", "/api/v1/items/{item_id}/"), bodies.ItemFields, set()),
        (within(batch, "items"), bodies.Item, set()),
        (body("put", "/api/v1/contacts/{user_id}/"), bodies.ContactFields, set()),
        (within(body("post", "/api/v1/contacts/batch/"), "contacts"), bodies.ContactEntry, set()),
        (within(many, "users"), bodies.BatchUser, set()),
        (many, bodies.BatchWish, {"/placement", "/users"}),  # arguments of the method
    ]
    for part, kind, arguments in pairs:
        assert set(differences(schema, part, kind)) == arguments, kind


@pytest.mark.parametrize("fields", [None, ["product"], []])
def test_real_answers_are_as_typed(trained: Recsite, fields: list[bodies.Part] | None) -> None:
    with Client(trained.url, trained.server_key, timeout=30) as client:
        for _, call, answer in CALLS:
            msgspec.convert(call(client), answer or type(None))
        wish: bodies.BesideWish = {"user_id": "u3", "n": 4}
        if fields is not None:
            wish["fields"] = fields
        recommendations = msgspec.convert(client.recommend("home", **wish), answers.Recommendations)
        assert len(recommendations["results"]) == 4
        assert ("product" in recommendations["results"][0]) is (fields is None or "product" in fields)


def test_a_refusal_says_where(trained: Recsite) -> None:
    with Client(trained.url, trained.server_key, timeout=30) as client:
        with pytest.raises(ProblemError, match="/events/0/user_id") as refused:
            client.send_events([new_event("view_item", items=[{"item_id": "1"}])])
        assert refused.value.status == 400
        assert refused.value.members["results"][0]["verdict"] == "rejected"
        with pytest.raises(ProblemError) as unknown:
            client.recommend("nowhere")
        assert unknown.value.status == 404
        with pytest.raises(ProblemError, match="n") as wrong:
            client.recommend("home", n=1_000)
        assert wrong.value.errors[0].pointer == "n"
    with Client(trained.url, trained.browser_key, timeout=30) as client, pytest.raises(ProblemError) as forbidden:
        client.recommend("home")
    assert forbidden.value.status == 403


def test_an_event_sent_twice_is_there_once(trained: Recsite) -> None:
    event = new_event("view_item", user_id="u5", items=[{"item_id": "wine-1"}])
    with Client(trained.url, trained.server_key) as client:
        assert [client.send_events([event])["results"][0]["verdict"] for _ in range(2)] == ["accepted", "duplicate"]
