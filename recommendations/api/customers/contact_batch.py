"""Many contacts at once, with a verdict on each row: ``/api/v1/contacts/batch/``."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Annotated

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Raw, Struct, ValidationError
from msgspec.structs import replace
from rest_framework.request import Request

from recommendations.api.customers.contact_examples import CONTACTS, VERDICTS
from recommendations.api.customers.contacts import ContactsView
from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.parsing import body_of, malformed
from recommendations.api.rendering import answered_rows
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest.misfit import misfit, unreadable
from recommendations.ingest.refusal import Refusal
from recommendations.push_terms import ConsentSource
from recommendations.services.contacts.forms import MOST_ROWS, ContactRowForm
from recommendations.services.contacts.rows import MOST_FLAWS, ContactRow, ContactVerdict, rejected, take_contacts

BATCH = f"""
1 to {MOST_ROWS} contacts, each as by PATCH. Every row gets a verdict: `stored`, `unchanged` or `rejected` with a reason
and a pointer, and with what is wrong `also`; a bad row never loses its neighbours, and a second row of a customer is
rejected. Any id can be sent here: `/contacts/{{user_id}}/` does not reach a customer who is called `batch`. More rows
are a 413, and nothing is stored.
"""


class ContactBatch(Struct, forbid_unknown_fields=True):
    """Changes, one row per contact."""

    contacts: Annotated[list[ContactRowForm], Meta(min_length=1, max_length=MOST_ROWS)]


class ContactsAnswer(Struct):
    stored: int
    unchanged: int
    rejected: int
    results: list[ContactVerdict]


class ContactBatchView(ContactsView):
    @extend_schema(
        operation_id="contacts_patch",
        summary="Addresses and consents of many customers",
        description=BATCH,
        request=body_like(ContactBatch),
        responses={
            200: OpenApiResponse(schema_of(ContactsAnswer), description="A verdict per row."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[CONTACTS, VERDICTS],
        tags=["customers"],
    )
    def post(self, request: Request) -> HttpResponse:
        raw = _raw_rows(body_of(request))
        if len(raw) > MOST_ROWS:
            text = _("A batch has at most %(most)s contacts, and this one %(number)s: divide it.")
            text %= {"most": MOST_ROWS, "number": len(raw)}
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, flaws=[Flaw("/contacts", text)])
        return _answered(take_contacts(list(_rows(raw)), source=ConsentSource.API, now=timezone.now()))


class _RawContacts(Struct, forbid_unknown_fields=True):
    contacts: Annotated[list[Raw], Meta(min_length=1)]


class _NamedContact(Struct):
    user_id: str


_raw_batch = msgspec.json.Decoder(_RawContacts)
_named = msgspec.json.Decoder(_NamedContact)
_row_form = msgspec.json.Decoder(ContactRowForm)
_fields = msgspec.json.Decoder(dict[str, Raw])
_elements = msgspec.json.Decoder(list[Raw])


def _raw_rows(body: bytes) -> Sequence[Raw]:
    try:
        body.decode()
        return _raw_batch.decode(body).contacts
    except ValidationError as error:
        remedy = _("Send {“contacts”: [1 to %(most)s contacts]}.") % {"most": MOST_ROWS}
        refusal = unreadable(error, rows="contacts", remedy=remedy).refusal
        raise refused(Flaw(refusal.pointer, refusal.reason)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error


def _rows(raw: Sequence[Raw]) -> Iterator[ContactRow | ContactVerdict]:
    """Rows, each decoded by itself; one that is none has its verdict, and so has the second of a customer."""
    seen = set[str]()
    for each in raw:
        try:
            form = _row_form.decode(each)
        except ValidationError as error:
            yield rejected(_name_of(each), list(islice(_misfits(each), MOST_FLAWS)) or [misfit(error)])
        except (msgspec.DecodeError, RecursionError):
            text = _("The row is nested too deeply, or a text in it is not valid Unicode.")
            yield rejected(None, [Refusal("", text)])
        else:
            if form.user_id in seen:
                text = _("The customer is in an earlier row already. Keep one row per customer.")
                yield rejected(form.user_id, [Refusal("/user_id", text)])
            else:
                yield ContactRow(user_id=form.user_id, form=form)
            seen.add(form.user_id)


def _misfits(raw: Raw) -> Iterator[Refusal]:
    """What does not fit in a row, each of its fields and statements looked at by itself."""
    try:
        fields = _fields.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return
    yield from [] if "user_id" in fields else _misfit_of({})
    for name, value in fields.items():
        for refusal in _misfit_of({"user_id": "u", name: value}):
            if not refusal.pointer.startswith("/consents/"):
                yield refusal
                continue
            for place, each in enumerate(_elements.decode(value)):
                for one in _misfit_of({"user_id": "u", "consents": [each]}):
                    yield Refusal(one.pointer.replace("/0", f"/{place}", 1), one.reason)


def _misfit_of(part: Mapping[str, object]) -> list[Refusal]:
    try:
        _row_form.decode(msgspec.json.encode(part))
    except ValidationError as error:
        return [misfit(error)]
    except (msgspec.DecodeError, RecursionError):  # said of the row as a whole
        pass
    return []


def _name_of(raw: Raw) -> str | None:
    try:
        return _named.decode(raw).user_id
    except (msgspec.DecodeError, RecursionError):
        return None


def _answered(verdicts: Sequence[ContactVerdict]) -> HttpResponse:
    def answer(counts: Counter[str], results: list[ContactVerdict]) -> ContactsAnswer:
        return ContactsAnswer(
            stored=counts["stored"], unchanged=counts["unchanged"], rejected=counts["rejected"], results=results
        )

    verdicts = [
        replace(each, also=tuple(Refusal(f"/contacts/{row}{one.pointer}", one.reason) for one in each.also))
        for row, each in enumerate(verdicts)
    ]
    return answered_rows(verdicts, under="contacts", none=_("Every contact was rejected."), answer=answer)
