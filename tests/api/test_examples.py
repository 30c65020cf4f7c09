"""Every example of the schema can be sent as it stands, in whatever shop: "Try it" answers 2xx."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_django
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.api.reference import catalogue_examples
from recommendations.models import Agent, Campaign, CampaignVersion, Category, Item
from recommendations.push_terms import AgentStatus, CampaignKind, Purpose, Trigger
from recommendations.services.agents.supervision import the_agent
from recommendations.services.campaigns.form import CampaignForm, as_json
from recommendations.services.privacy.requests import EraseAsk, ask_erase
from recommendations.services.privacy.work import do_request
from recommendations.store.serving.slates import write_slates
from recommendations.terms import Availability, Scope
from tests.api.conftest import ApiClient
from tests.experiment_records import experiment
from tests.trained import trained_shop

ORDER = ("put", "post", "patch", "get", "delete")  # what was made can be changed, read and taken away


@pytest.fixture(scope="module")
def grocery(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with trained_shop(django_db_blocker):
        yield


@pytest.fixture
def api(grocery: None, db: None, client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(*Scope)


def a_campaign(slug: str) -> None:
    """A live campaign that the shop triggers."""
    now = timezone.now()
    parts = {"who": {}, "what": {"blocks": [{"placement": "email"}]}, "when": {}, "safety": {}}
    campaign = Campaign.objects.create(
        slug=slug, name=slug, kind=CampaignKind.TRIGGERED, trigger=Trigger.SHOP, purpose=Purpose.REMINDERS
    )
    form = as_json(msgspec.convert(parts, CampaignForm))
    CampaignVersion.objects.create(campaign=campaign, number=1, frozen=form, starts_at=now - timedelta(days=1))


def fresh(value: Any) -> Any:
    """The example as the reference sends it: an event has a new id, and is of now."""
    if isinstance(value, list):
        return [fresh(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    now = {"event_id": str(uuid.uuid4()), "timestamp": timezone.now().isoformat()}
    return {name: now.get(name) or fresh(inner) for name, inner in value.items()}


def requests_of(operation: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and body of each example of a request; one without a body where it needs none."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, example in content["examples"].items():
            yield name, fresh(example["value"])
    if "requestBody" not in operation:
        yield "no body", None


def send(api: ApiClient, method: str, path: str, body: Any) -> HttpResponse:
    return api.send(method.upper(), path, b"" if body is None else body)


def test_every_example_of_every_operation_is_answered_with_2xx(api: ApiClient) -> None:
    schema = json.loads(Client().get("/api/schema/").content)
    served = api.get("/api/v1/placements/home/recommend/", user_id="u1").json()
    write_slates()
    the_agent()
    Agent.objects.update(status=AgentStatus.WATCHES)  # so that it can be paused
    erased = ask_erase(EraseAsk(user_id="u1-before", export_first=True), by=None, now=timezone.now())
    do_request(erased.pk)
    given = {"request_id": str(erased.pk)}
    given |= {"recommendation_id": served["recommendation_id"], "experiment_id": f"e{experiment().pk}"}
    refused, seen = [], 0
    for path, methods in schema["paths"].items():
        for method in sorted(methods, key=ORDER.index):
            operation, address = methods[method], path
            for part in operation.get("parameters", ()):
                if part["in"] == "path":
                    value = given.get(part["name"], part.get("example"))
                    address = address.replace(f"{{{part['name']}}}", str(value))
                if part["name"] == "slug":
                    a_campaign(part["example"])
            for name, body in requests_of(operation):
                answer = send(api, method, address, body)
                seen += 1
                if not 200 <= answer.status_code < 300:
                    refused.append(f"{method} {address} {name}: {answer.status_code} {answer.content[:300]!r}")
    assert refused == []
    assert seen > len(schema["paths"])


def test_examples_name_what_the_shop_sells_and_change_nothing_that_it_sells(api: ApiClient) -> None:
    schema = json.loads(Client().get("/api/schema/").content)
    items, text = set(Item.objects.values_list("shop_id", flat=True)), json.dumps(schema)
    for word in ("SKU1", "SKU2", "SKU7", "SKU9", "Acme", "Trail", "Running >"):
        assert word not in text
    for methods in schema["paths"].values():
        for operation in methods.values():
            for part in operation.get("parameters", ()):
                if part["name"] == "item_id" and part["in"] == "path":
                    assert (part["example"] in items) is (operation["tags"] != ["catalogue"])
            if operation["tags"] == ["catalogue"]:
                bodies = json.dumps(list(requests_of(operation)))
                assert not any(f'"{item}"' in bodies for item in items)


def test_a_shop_without_items_or_a_database_has_a_schema(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Item.objects.update(retired_at=timezone.now())
    assert catalogue_examples.words() == ()
    assert Client().get("/api/schema/").status_code == 200
    Item.objects.create(shop_id="only", title="The only one")
    pairs = dict(catalogue_examples.words())
    assert {pairs[name] for name in catalogue_examples.ITEMS} == {"only"}

    def away(*_: object, **_named: object) -> None:
        raise OperationalError

    monkeypatch.setattr(catalogue_examples.Item.objects, "filter", away)
    assert catalogue_examples.words() == ()
    assert Client().get("/api/schema/").status_code == 200


def test_no_stranger_reads_of_an_item_that_is_not_for_sale(db: None) -> None:
    """Schema and docs are for everybody: a product that is not announced yet must not stand in them."""
    Item.objects.all().delete()
    now, hour = timezone.now(), timedelta(hours=1)
    hidden: dict[str, dict[str, Any]] = {
        "soon": {"available_at": now + hour}, "over": {"expires_at": now - hour}, "gone": {"retired_at": now},
        "none": {"available_quantity": 0}, "out": {"availability": Availability.OUT_OF_STOCK},
        "ordered": {"availability": Availability.PREORDER},
    }  # fmt: skip
    for name, facts in hidden.items():
        item = Item.objects.create(shop_id=f"SECRET-{name}", title=f"Secret {name}", brand="Secret brand", **facts)
        item.categories.add(Category.objects.get_or_create(path="Secret", name="Secret")[0])
    assert catalogue_examples.words() == ()
    began = Item.objects.create(shop_id="SHOWN", title="Shown", available_at=now - hour, available_quantity=1)
    assert {catalogue_examples.words()[0][1]} == {began.shop_id}
    for page in ("/api/schema/", "/api/docs/"):
        content = Client().get(page).content.decode()
        assert "SHOWN" in content
        assert "SECRET-" not in content
        assert "Secret " not in content


def test_who_has_the_schema_is_told_that_it_is_the_same(db: None) -> None:
    first = Client().get("/api/schema/")
    assert first["Cache-Control"] == "no-cache"
    again = Client().get("/api/schema/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert Client().get("/api/schema/?format=yaml")["ETag"] != first["ETag"]
    Item.objects.update(title="New")
    Item.objects.create(shop_id="new", title="New")
    assert Client().get("/api/schema/", headers={"If-None-Match": first["ETag"]}).status_code == 200
