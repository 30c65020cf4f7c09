"""The events that the documents show are taken as they stand there."""

import json
import re
from pathlib import Path

import pytest

from recommendations.ingest.event_schema import EventForm, parse_body
from recommendations.ingest.event_validation import refusal_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("document", "name"), [("storefront.md", "add_to_cart"), ("keys.md", "rate_item")])
def test_a_raw_event_of_the_documents_keeps_the_rules(document: str, name: str) -> None:
    shown = re.findall(r"```json\n(.*?)```", (DOCS / document).read_text(encoding="utf-8"), re.DOTALL)
    [event] = [each for each in shown if json.loads(each).get("name") == name]
    parsed = parse_body(event.encode())
    [form] = parsed.rows
    assert isinstance(form, EventForm), form
    assert parsed.ignored == {}
    assert refusal_of(form, now=form.timestamp) is None
