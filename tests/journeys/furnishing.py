"""What the journeys' shop is furnished with beside what it learned, so that every page has something to show."""

from datetime import time as time_of_day
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from recommendations.customer_codes import customer_code
from recommendations.models import (
    AgentPractice,
    Contact,
    Customer,
    Experiment,
    Import,
    Item,
    NewItem,
    NewItemBudget,
    Placement,
    RejectedRow,
    Run,
    Staff,
)
from recommendations.practice_terms import PracticeEffect
from recommendations.privacy_terms import RequestState
from recommendations.promise_terms import NewItemState
from recommendations.push_terms import CampaignKind, Channel, OccurrenceState, Purpose, SuppressionReason, Trigger
from recommendations.services.agents.practice import work as let_agent_practise
from recommendations.services.audiences.editing import save_audience
from recommendations.services.campaigns.form import as_json
from recommendations.services.campaigns.lifecycle import create_campaign, form_of
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.experiments.lifecycle import pause
from recommendations.services.experiments.practice import practise, work
from recommendations.services.privacy.holds import hold
from recommendations.services.privacy.sealed import PersonIds
from recommendations.services.promises.publishing import PromiseForm, publish_promise
from recommendations.services.push.plans import ask as ask_for_plan
from recommendations.services.push.plans import make_plan
from recommendations.services.push.sendings import decide_pushes
from recommendations.services.rules.editing import save_rule
from recommendations.store.contacts import silence
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Role, SuspicionRule
from tests.analytics import quarantines
from tests.analytics.pages.experiments import drafting
from tests.analytics.pages.privacy import asking, releasing
from tests.demo.mails import confirmation, put, put_hook, put_push
from tests.push_records import contact
from tests.services.contacts.addresses import address_of, said
from tests.sources import send_for_weeks
from tests.trained import NOW

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
DRAFT_RULES: list[dict[str, Any]] = [
    {
        "name": "More tea", "placement": "home", "action": "boost", "strength": 30,
        "items": [{"attribute": "category", "operator": "is", "values": ["FOOD > TEA"]}],
    },
    {
        "name": "No soap at Easter", "action": "exclude", "ends_at": "2026-04-07T00:00:00+00:00",
        "items": [{"attribute": "item", "operator": "is", "values": ["soap-1", "soap-2"]}],
    },
]  # fmt: skip
"""Written, and not published: they change no answer. The second is over."""
TEA_FANS: dict[str, Any] = {
    "all": [{"kind": "bought", "days": 90, "times": 2, "items": DRAFT_RULES[0]["items"]}],
    "none": [{"kind": "spent", "operator": "at_most", "amount": 10, "days": 90}],
}
LATER = "2026-08-20T10:00:00Z"  # than what is said otherwise


def furnish() -> None:
    """What every page needs to have something to show."""
    ada = Staff.objects.create_user(EMAIL, PASSWORD, role=Role.ADMIN, name="Ada Lind")
    Staff.objects.create_user("bo@example.com", PASSWORD, role=Role.VIEWER, name="Bo Ek")
    for values in DRAFT_RULES:
        save_rule(rule=None, values=values, revision=None, by=ada, now=NOW)
    send_for_weeks(now=timezone.now())
    _set_aside()
    _refuse()
    _write_down_contact()
    _try_out()
    _send()
    _plan_and_send(ada)
    save_audience(audience=None, name="Tea fans", conditions=TEA_FANS, revision=None, by=ada, now=NOW)
    _begin_campaigns(ada)
    _promise_impressions(ada)
    _handle_privacy(ada)
    let_agent_practise(AgentPractice.objects.create(seed=1).pk, now=NOW + timedelta(days=30))


def _set_aside() -> None:
    """Two customers who are said to share three soaps, as if the run had found them: no answer changes."""
    soaps = Item.objects.filter(shop_id__in=["soap-1", "soap-2", "soap-3"])
    people = [Customer.objects.get(pseudonym=pseudonym(name)) for name in ("u58", "u59")]
    quarantines.of_people(SuspicionRule.TWINS, people, list(soaps), run=Run.objects.get(), events=90)


def _try_out() -> None:
    """A draft with its practice, and an experiment of ten days with a verdict; it is paused: no answer changes."""
    draft = drafting.drafted(
        {"pages": {"home": ["discover", "home", "buy_again", "trending", "new"]}}, name="Another order"
    )
    work(practise(draft=draft, effect=PracticeEffect.BETTER, by=None, now=timezone.now()).pk)
    begun = drafting.begun(name="More at once", now=timezone.now() - timedelta(days=10, minutes=5))
    drafting.with_readings(begun, lift=0.1)
    facts = {"arm": 1, "value": 0.1, "low": 0.014, "high": 0.186, "also_better": []}
    Experiment.objects.filter(pk=begun.pk).update(decision={"code": "ship", "facts": facts})
    pause(experiment=begun, by=None, now=timezone.now())


def _write_down_contact() -> None:
    """How the tea drinker may be reached: a former address, and one that staff silenced; they said yes and no."""
    address_of("u3", email="former@example.com", confirmed=True)
    consents = [said("for_you"), said("news", "refused"), said("reminders"), said("reminders", "withdrawn", at=LATER)]
    address = address_of("u3", confirmed=True, time_zone="Asia/Tokyo", consents=consents)
    Contact.objects.update(most_a_week=2, quiet_from=time_of_day(22), quiet_until=time_of_day(7))
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=SuppressionReason.STAFF, now=NOW)


def _begin_campaigns(by: Staff) -> None:
    """A campaign that runs, with a sending, and the draft of one with a trigger."""
    presets = [preset_of(CampaignKind.RECURRING), preset_of(CampaignKind.TRIGGERED, Trigger.CART_LEFT)]
    running, _draft = (
        create_campaign(
            name=preset.name, kind=preset.kind, trigger=preset.trigger, purpose=preset.purpose, draft=preset.draft(),
            by=by, now=NOW,
        )
        for preset in presets
    )  # fmt: skip
    version = running.versions.create(
        number=1, frozen=as_json(form_of(running)), note="Every Thursday", author=by, approved_by=by, starts_at=NOW
    )
    running.occurrences.create(
        version=version,
        key="2026-09-10",
        due_at=NOW,
        state=OccurrenceState.FINISHED,
        counts={"now": 3, "no_address": 57},
    )


def _promise_impressions(by: Staff) -> None:
    """A promise of "Discover" with an item of each state; it has no room now: no answer changes."""
    now, discover = timezone.now(), Placement.objects.get(name="discover")
    promise = publish_promise(discover, PromiseForm(), note="What is new is seen.", by=by, now=now)
    for number, (item, state) in enumerate(zip(Item.objects.order_by("pk"), NewItemState, strict=False)):
        given = state in {NewItemState.PROMISED, NewItemState.KEPT, NewItemState.LATE, NewItemState.STOPPED}
        over = state not in {NewItemState.WAITING, NewItemState.PROMISED}
        NewItem.objects.create(
            placement=discover, item=item, state=state, promise=promise if given else None, fit=0.9 - 0.1 * number,
            noted_at=now, promised_at=now - timedelta(days=3) if given else None, ended_at=now if over else None,
            shown=30 if state == NewItemState.KEPT else 12 * given, clicks=2 * given, expected=1.5 * given,
        )  # fmt: skip
    NewItemBudget.objects.create(placement=discover, share=0, load=0, requests_a_day=1487, counted_until=now)


def _handle_privacy(by: Staff) -> None:
    """Requests in every state, with receipts, and a legal hold: all of people whom the shop does not know; releases."""
    now = timezone.now()
    kept = hold(PersonIds(user_id="nobody"), reason="Case 7", until=None, by=by, now=now)
    asking.request_in(RequestState.HELD, options={"holds": [kept.pk]}, started_by=by, reference="Ticket held")
    for state in (RequestState.RECEIVED, RequestState.RUNNING, RequestState.FAILED):
        asking.request_in(state, counts=asking.PARTLY, unknown_at=now, started_by=by, reference=f"Ticket {state}")
    asking.erased(closed=True)
    asking.erased(started_by=by)
    releasing.drawn(told=0, weeks_ago=1)
    releasing.drawn(published_at=now)


def _refuse() -> None:
    """An import that refused a row for two flaws."""
    source = Import.objects.create(kind="items", file="spring.csv", status="finished", rows=3, kept=2, rejected=1)
    for name, given in (("title", ""), ("price", "minus two")):
        RejectedRow.objects.create(source=source, line=4, field=name, reason="Mend it.", given={name: given})


def _plan_and_send(by: Staff) -> None:
    """A campaign that comes every day, with its plan and a sending of today."""
    for number in range(20, 40):
        contact(f"u{number}")
    now = timezone.now()
    texts = {"en": {"subjects": ["Spring is here"], "heading": "Picked for you"}}
    draft = {
        "what": {"texts": texts, "blocks": [{"placement": "home", "n": 4}]},
        "when": {"weekdays": [1, 2, 3, 4, 5, 6, 7], "hour": "23:59:00", "clock": "shop"},  # once it is over none comes
    }  # fmt: skip
    campaign = create_campaign(
        name="Spring picks", kind=CampaignKind.RECURRING, trigger=None, purpose=Purpose.FOR_YOU, draft=draft, by=by,
        now=now,
    )  # fmt: skip
    make_plan(ask_for_plan(campaign=campaign, as_of=now, by=by, now=now).pk)
    frozen = as_json(form_of(campaign))
    campaign.versions.create(number=1, frozen=frozen, note="Every day", author=by, approved_by=by, starts_at=now)
    decide_pushes(now=now)


def _send() -> None:
    """Mails of the demo, as many as make two pages of a list."""
    for number in range(51):
        to = f"customer-{customer_code(number)}@shop.example"
        put(settings.MAILBOX, confirmation(to=to, link="http://127.0.0.1:8000/m/k/token/"), to=to, minutes=number)
    put_push(
        settings.MAILBOX, customer=2, id="m1", title="Running low?", body="Tea: time again", url="https://a.example/"
    )
    put_push(settings.MAILBOX, customer=None, title="For nobody here", minutes=1)
    put_hook(settings.MAILBOX, {"type": "recommendations.push", "data": {"user_id": "u1", "results": []}})
