"""Messages that the shop asks for: ``POST /api/v1/campaigns/{slug}/trigger/``."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.customers.push_examples import TRIGGER, TRIGGERED
from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.recommend import not_loaded
from recommendations.api.recommend_bodies import Id
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.models import Item
from recommendations.push_terms import MessageState, Verdict
from recommendations.services.push.timeline import MessageReason
from recommendations.services.push.triggering import (
    CampaignNotLiveError,
    KeyReusedError,
    OtherTriggerError,
    TriggerForm,
    UnknownCampaignError,
    UnknownCustomerError,
    UnknownItemsError,
    trigger,
)
from recommendations.serving.serve import NotLoadedError
from recommendations.terms import Scope

LONGEST_KEY = 64
MOST_ITEMS = 20
DESCRIPTION = """
Something happened to a customer that a live campaign with the trigger *The shop says so* is for: an appointment comes
up, a parcel was left, points expire. The message is about the first of the items that is for sale. It is decided with
all others within a minute, under the same consents, caps, quiet hours and holdout, so `verdict` says what holds now:
`now` and `later` (from `due_at` on) may still lose to a better message or have too little to show; `capped` waits until
the customer bears another one, or it is too late; null is in none of the campaign's audiences. With any other one
nothing is sent.

`key` names the occasion: the same again, with the same items, has the same answer and sends nothing more. `decided`,
null before the first look, then says what became of it: the verdict of the last look, and `state` and `reason` of the
message, as in the customer's messages, where there is one. With other items it is a 409, `code` `key_reused`. A
campaign that is paused, over, or not yet live is a 409, `campaign_not_live`; one with another trigger, `other_trigger`.
A customer of whom nothing was ever told is a 404.
"""


class TriggerBody(Struct, forbid_unknown_fields=True):
    """The occasion, and what it is about."""

    user_id: Id
    key: Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY, description="Of the occasion, in your words.")]
    item_ids: Annotated[list[Id], Meta(max_length=MOST_ITEMS, description="The best first.")] = []


class TriggerDecided(Struct):
    """What became of the occasion."""

    verdict: Annotated[Verdict, Meta(description="Of the last look.")]
    state: Annotated[MessageState | None, Meta(description="Of the message; null: there is none.")]
    reason: Annotated[MessageReason | None, Meta(description="Why the message is where it is.")]
    at: Annotated[datetime, Meta(description="When it was looked at.")]


class TriggerAnswer(Struct):
    """What will happen."""

    campaign: str
    user_id: Id
    key: str
    item_id: Annotated[Id | None, Meta(description="That the message is about.")]
    verdict: Annotated[Verdict | None, Meta(description="null: in none of the campaign's audiences.")]
    due_at: Annotated[datetime | None, Meta(description="Of `now` and `later`: the earliest moment.")]
    decided: Annotated[TriggerDecided | None, Meta(description="null: nobody has looked at it yet.")]


class TriggerView(APIView):
    required_scope = Scope.CAMPAIGNS_TRIGGER
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="campaign_trigger",
        summary="A message for an occasion of the shop's",
        description=DESCRIPTION,
        request=body_like(TriggerBody),
        responses={
            202: OpenApiResponse(schema_of(TriggerAnswer), description="The occasion is on disk."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
        },
        examples=[TRIGGER, TRIGGERED],
        tags=["customers"],
    )
    def post(self, request: Request, slug: str) -> HttpResponse:
        body = _parse(body_of(request))
        form = TriggerForm(user_id=body.user_id, key=body.key, item_ids=body.item_ids)
        try:
            outcome = trigger(slug, form, now=timezone.now())
        except NotLoadedError:
            return not_loaded()
        except (UnknownCampaignError, UnknownCustomerError, UnknownItemsError) as error:
            return _not_there(error, slug)
        except (OtherTriggerError, CampaignNotLiveError, KeyReusedError) as error:
            text, code = _conflict(error)
            return problem(HTTPStatus.CONFLICT, text, members={"code": code})
        about = Item.objects.filter(pk=outcome.item).values_list("shop_id", flat=True).first() if outcome.item else None
        decided = msgspec.convert(outcome.decided, TriggerDecided | None, from_attributes=True)
        answer = TriggerAnswer(
            campaign=slug, user_id=body.user_id, key=body.key, item_id=about, verdict=outcome.verdict,
            due_at=outcome.due_at, decided=decided,
        )  # fmt: skip
        return as_json(answer, status=HTTPStatus.ACCEPTED)


_body = msgspec.json.Decoder(TriggerBody)


def _parse(content: bytes) -> TriggerBody:
    body = decoded(_body, content)
    texts = {"/user_id": body.user_id, "/key": body.key}
    texts |= {f"/item_ids/{place}": item_id for place, item_id in enumerate(body.item_ids)}
    nul = _("A text holds a character that cannot be stored (U+0000).")
    if flaws := [Flaw(pointer, nul) for pointer, text in texts.items() if "\x00" in text]:
        raise refused(*flaws)
    return body


def _not_there(error: Exception, slug: str) -> HttpResponse:
    if isinstance(error, UnknownCampaignError):
        raise Http404(_("There is no campaign “%(slug)s”.") % {"slug": slug}) from error
    if isinstance(error, UnknownItemsError):
        raise refused(Flaw("/item_ids", _("The catalogue has none of these items."))) from error
    text = _("Nothing is known of this customer; send events, properties or a contact first.")
    return problem(HTTPStatus.NOT_FOUND, text, flaws=[Flaw("/user_id", text)])


def _conflict(error: Exception) -> tuple[str, str]:
    if isinstance(error, OtherTriggerError):
        return _("This campaign is not triggered by the shop; choose one with the trigger “The shop says so”."), (
            "other_trigger"
        )
    if isinstance(error, CampaignNotLiveError):
        return _("This campaign sends nothing now (%(status)s).") % {"status": error.status}, "campaign_not_live"
    return _("This key was sent before with other items; name the new occasion otherwise."), "key_reused"
