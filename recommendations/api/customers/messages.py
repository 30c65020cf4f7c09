"""Messages of a customer: ``GET /api/v1/users/{user_id}/messages/``."""

from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.customers.properties import checked_user_id
from recommendations.api.customers.push_examples import MESSAGES
from recommendations.api.recommend_bodies import Id
from recommendations.api.recommend_form import converted
from recommendations.api.rendering import as_json
from recommendations.api.schema import parameters_of, problems, schema_of
from recommendations.push_terms import Channel, MessageState, Purpose
from recommendations.services.push.timeline import MOST, MessageReason, timeline
from recommendations.terms import Scope

DESCRIPTION = """
The messages of a customer, the newest first, for your customer service: of which campaign each was, what became of it
and when, and the `recommendation_id` of the list in it. `taken` is what the mail server said, never that it was
delivered; of an `unknown` one nobody knows. What was held back, as the customer is held out for comparison, was not
sent and is not among them. `reason` says why one is not taken; `provider`: the mail server refused it. No address is
shown. Ask again with `before` set to `next` for older ones; `next` is null on the last page.
"""
PARAMETERS = {
    "n": "How many; 50 where it is not given.",
    "before": "`next` of the page before; older messages than that.",
}
LARGEST = 2**63 - 1


class MessagesQuery(Struct, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=1, le=MOST)] = 50
    before: Annotated[int, Meta(ge=1, le=LARGEST)] | None = None


class MessageGiven(Struct):
    message_id: str
    campaign: str
    purpose: Purpose
    channel: Channel
    key: Annotated[str, Meta(description="The occasion; once per campaign.")]
    state: MessageState
    reason: MessageReason | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    handed_at: datetime | None
    settled_at: datetime | None
    recommendation_id: str | None


class MessagesAnswer(Struct):
    user_id: Id
    messages: list[MessageGiven]
    next: Annotated[str | None, Meta(description="`before` of the next page; null: this is the last.")]


class MessagesView(APIView):
    required_scope = Scope.CONTACTS_READ

    @extend_schema(
        operation_id="customer_messages",
        summary="What a customer was sent",
        description=DESCRIPTION,
        parameters=parameters_of(MessagesQuery, described=PARAMETERS),
        responses={
            200: OpenApiResponse(schema_of(MessagesAnswer), description="A page of messages."),
            **problems(HTTPStatus.NOT_FOUND),
        },
        examples=[MESSAGES],
        tags=["customers"],
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        form = converted(dict(request.query_params.lists()), MessagesQuery)
        page = timeline(checked_user_id(user_id), before=form.before, most=form.n)
        if page is None:
            raise Http404(_("Nothing is known of this customer."))
        lines, following = page
        messages = [MessageGiven(message_id=str(fields.pop("number")), **fields) for fields in map(asdict, lines)]
        return as_json(MessagesAnswer(user_id, messages, None if following is None else str(following)))
