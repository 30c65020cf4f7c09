"""An admin erases a customer: from the page of the customer, through a worker, to a receipt that verifies."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from recommendations.models import Customer, Item, PrivacyRequest, Receipt
from recommendations.privacy_terms import ReceiptPart
from recommendations.services.privacy.receipts import verify
from recommendations.services.privacy.work import do_request
from tests.analytics import records
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

expect.set_options(timeout=10_000)


def newcomer() -> Customer:
    """Somebody who bought after the last run, so that no model knows them."""
    customer = records.customer("newcomer")
    records.event(customer, Item.objects.get(shop_id="tea-0"), days_ago=1)
    return customer


def test_an_admin_erases_a_customer_and_has_the_receipt(window: Callable[..., Visitor]) -> None:
    customer = committed(newcomer)
    visitor = window()
    visitor.log_in()
    visitor.visit(f"/customers/{customer.code}/")
    page = visitor.page
    page.get_by_role("link", name="Count it").click()
    expect(page.locator("#held-body")).to_contain_text("Events")
    page.evaluate("scrollTo(0, 0)")  # what the bar at the top covers in part is too small to be hit
    assert visitor.complaints() == []
    page.get_by_role("link", name="Erase…").click()
    page.get_by_label("Type “erase”").fill("erase it")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator(".field-error")).to_have_text("Type “erase” to go on. Nothing was changed.")
    visitor.problems.clear()  # the browser's word on 422
    page.get_by_label("Type “erase”").fill("erase")
    page.get_by_role("button", name="Erase for good").click()
    page.wait_for_url(re.compile(r"/privacy/[0-9a-f-]{36}/$"))
    expect(page.locator("h1")).to_contain_text("Received")
    request = committed(lambda: PrivacyRequest.objects.latest("created_at").pk)
    committed(lambda: do_request(request))
    expect(page.locator("h1")).to_contain_text("Erased; waits for the next run")  # the page comes again by itself
    expect(page.locator("#progress")).to_contain_text("the scan found nothing")
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    envelope = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert committed(lambda: verify([envelope])) == []
    assert envelope["document"]["request"] == str(request)
    assert committed(lambda: Receipt.objects.get(request=request).part) == ReceiptPart.ERASED
    assert visitor.complaints() == []
    assert page.goto(f"{visitor.site}/customers/{customer.code}/").status == 404  # type: ignore[union-attr]
    expect(page.locator("h1")).to_contain_text(f"There is no customer “{customer.code}”")
