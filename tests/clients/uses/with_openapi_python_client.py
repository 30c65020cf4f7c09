"""What a shop writes with the client of openapi-python-client; it is run against a real Recsite, too."""

import json
import sys
import uuid
from datetime import UTC, datetime

from recsite_generated import AuthenticatedClient
from recsite_generated.api.events import events
from recsite_generated.api.recommendations import recommend, recommend_simply
from recsite_generated.models import (
    EventForm,
    EventItemForm,
    EventsAnswer,
    Problem,
    Recommendations,
    RecommendBody,
    RecommendContext,
)


def main(url: str, key: str) -> None:
    client = AuthenticatedClient(base_url=url, token=key, prefix="Api-Key")
    event = EventForm(
        event_id=uuid.uuid4(),
        name="view_item",
        timestamp=datetime.now(UTC),
        user_id="u1",
        items=[EventItemForm(item_id="tea-1")],
    )
    sent = events.sync(client=client, body=event)
    simply = recommend_simply.sync("home", client=client, user_id="u1", n=3)
    body = RecommendBody(context=RecommendContext(basket=["tea-1"]), n=2)
    wished = recommend.sync("cart", client=client, body=body)
    refused = recommend_simply.sync("nowhere", client=client)
    if not (isinstance(sent, EventsAnswer) and isinstance(simply, Recommendations)):
        raise TypeError(f"{sent!r} {simply!r}")
    if not (isinstance(wished, Recommendations) and isinstance(refused, Problem)):
        raise TypeError(f"{wished!r} {refused!r}")
    told = {"accepted": sent.accepted, "simply": len(simply.results), "refused": refused.status}
    sys.stdout.write(json.dumps(told | {"wished": [result.item_id for result in wished.results]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
