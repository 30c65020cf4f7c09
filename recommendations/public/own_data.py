"""The page of what is kept of somebody to write to them: in words, as a file, and its erasure."""

from django.http import HttpResponse, JsonResponse

from recommendations.models import ConsentStatement
from recommendations.public.door import Guest, door
from recommendations.public.sentences import word
from recommendations.services.contacts.links import link_path
from recommendations.services.contacts.own_data import file_of, statements_of
from recommendations.services.contacts.own_messages import sent_to
from recommendations.services.contacts.preferences import preferences_of
from recommendations.services.contacts.staff_acts import erase_for
from recommendations.services.contacts.tokens import LinkKind
from recommendations.services.operations.housekeeping import MESSAGE_DAYS, VERDICT_DAYS
from recommendations.wording import push_labels

FILE = "my-data.json"


@door(LinkKind.OWN_DATA)
def own_data(guest: Guest) -> HttpResponse:
    deed = guest.request.POST.get("act", "") if guest.request.method == "POST" else ""
    if deed == "file":
        answer = JsonResponse(file_of(guest.address, now=guest.now), json_dumps_params={"indent": 2})
        answer.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
        return answer
    own = preferences_of(guest.address, now=guest.now)
    if deed == "erase":
        receipt = erase_for(guest.address.contact, by=None, now=guest.now)
        return guest.answer("erased", {"receipt": receipt, "at": guest.now, "address": own.address})
    messages, total = sent_to(guest.address.contact_id)
    context = {
        "own": own,
        "messages": [
            {"at": each.at, "purpose": word(push_labels.PURPOSES, each.purpose), "clicked": each.clicked}
            for each in messages
        ],
        "total": total,
        "message_days": MESSAGE_DAYS,
        "verdict_days": VERDICT_DAYS,
        "contact": guest.address.contact,
        "since": guest.address.created_at,
        "statements": [_row(each) for each in statements_of(guest.address)],
        "centre": link_path(guest.address, LinkKind.PREFERENCES, now=guest.now),
    }
    return guest.answer("own_data", context)


def _row(statement: ConsentStatement) -> dict[str, object]:
    return {
        "at": statement.at,
        "purpose": word(push_labels.PURPOSES, statement.purpose),
        "said": word(push_labels.CONSENT_STATES, statement.state),
        "where": word(push_labels.CONSENT_SOURCES, statement.source),
    }
