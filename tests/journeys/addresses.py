"""Every page of the dashboard that the walks in a browser go to, by a name of its own, for the shop of the fixture."""

from django.conf import settings

from demo import mailbox
from demo.notices import NoticeKind, notice_keys
from recommendations.models import (
    Audience,
    Campaign,
    Customer,
    Experiment,
    Import,
    Item,
    LegalHold,
    PrivacyRequest,
    Quarantine,
    Release,
    Rule,
    Run,
    Staff,
)
from recommendations.push_terms import OccurrenceState
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import RunStatus
from tests.journeys.furnishing import EMAIL


def addresses() -> dict[str, str]:
    """Name and address of every page."""
    parts = (
        of_weights_and_pages, of_customers, of_rules, of_the_catalogue, of_setup, of_suspicion, of_groups,
        of_what_happened, of_experiments, of_campaigns, of_sendings, of_pressure, of_the_mailbox,
        of_privacy,
    )  # fmt: skip
    return {name: address for part in parts for name, address in part().items()}


def of_customers() -> dict[str, str]:
    tea_drinker = Customer.objects.get(pseudonym=pseudonym("u3")).code
    tea, soap, wine = (Item.objects.get(shop_id=name).pk for name in ("tea-0", "soap-1", "wine-11"))
    return {
        "customers": "/customers/",
        "no match": "/customers/?state=cold&segment=1",
        "customer": f"/customers/{tea_drinker}/",
        "as tested": f"/customers/{tea_drinker}/?cut=test&placement=discover",
        "basket": f"/customers/{tea_drinker}/?placement=cart",
        "changed customers": "/customers/?changed=taste&sort=-change&text=tea",
        "customer among filters": f"/customers/{tea_drinker}/?text=tea&state=heavy",
        "customer beside drafts": f"/customers/{tea_drinker}/?compare=both",
        "customer in a simulation": f"/customers/{tea_drinker}/?did=purchase:{wine}&did=view_item:{wine}",
        "customer of another day": f"/customers/{tea_drinker}/?as_of=2026-08-01",
        "customer with faults": f"/customers/{tea_drinker}/?as_of=never&did=purchase:999999",
        "reach": f"/customers/{tea_drinker}/reach/",
        "why here": f"/customers/{tea_drinker}/?why={tea}",
        "why not": f"/customers/{tea_drinker}/?why_not={soap}",
        "why not what is unknown": f"/customers/{tea_drinker}/?why_not=999999",
    }


def of_weights_and_pages() -> dict[str, str]:
    tea_drinker = Customer.objects.get(pseudonym=pseudonym("u3")).code
    tea = Item.objects.get(shop_id="tea-0").pk
    return {
        "overview": "/",
        "stop of the tour": "/?tour=1",
        "stop without its element": "/approvals/?tour=4",
        "statement": "/statement/",
        "weights": "/weights/",
        "weights moved": "/weights/?load=preset",
        "weights of the basket": "/weights/?blend=cart",
        "what a draft would have earned": "/weights/earned/?blend=home",
        "quality": "/quality/",
        "quality to discover": "/quality/?task=discover&slice=segment&sort=name&a=popular&b=recent",
        "page of the shop": f"/pages/home/?customer={tea_drinker}",
        "page of an item on a phone": f"/pages/item/?customer={tea_drinker}&draft=yes&width=phone",
        "pin to try": f"/pages/home/pin/?pinned={tea}&placement=home&slot=2",
        "lists of a page": "/pages/home/arrange/",
    }


def of_rules() -> dict[str, str]:
    tea_drinker = Customer.objects.get(pseudonym=pseudonym("u3")).code
    rule = Rule.objects.values_list("pk", flat=True)[0]
    return {
        "rules": "/rules/",
        "no rule matches": "/rules/?text=zzzz",
        "rule": f"/rules/{rule}/",
        "rule of a card": f"/rules/new/?action=pin&item=tea-1&slot=2&placement=home&customer={tea_drinker}",
        "rule to publish": f"/rules/?open=publish&rule={rule}",
        "calendar of rules": "/rules/calendar/",
        "calendar of other weeks": "/rules/calendar/?from=2031-01-01",
        "versions of rules": "/rules/versions/",
        "approvals": "/approvals/",
    }


def of_the_catalogue() -> dict[str, str]:
    tea = Item.objects.get(shop_id="tea-0").pk
    imported = Import.objects.values_list("pk", flat=True)[0]
    return {
        "catalogue": "/catalogue/",
        "items": "/catalogue/items/?q=tea&sort=price",
        "no item matches": "/catalogue/items/?q=zzzz&flaw=no_price",
        "imports": "/catalogue/imports/",
        "import": f"/catalogue/imports/{imported}/",
        "new import": "/catalogue/imports/new/",
        "new import of contacts": "/catalogue/imports/contacts/new/",
        "sources": "/catalogue/sources/",
        "arrivals": "/catalogue/arrivals/",
        "arrivals that were refused": "/catalogue/arrivals/?verdict=rejected&paused=1",
        "item": f"/catalogue/{tea}/",
        "editor of an item": f"/catalogue/{tea}/edit/?field=price",
    }


def of_setup() -> dict[str, str]:
    colleague = Staff.objects.exclude(email=EMAIL).values_list("pk", flat=True)[0]
    return {
        "placements": "/setup/placements/",
        "placement": "/setup/placements/home/",
        "your data": "/setup/your-data/",
        "API keys": "/setup/keys/",
        "new API key": "/setup/keys/new/",
        "webhooks": "/setup/webhooks/",
        "new webhook": "/setup/webhooks/new/",
        "staff": "/setup/staff/",
        "member of staff": f"/setup/staff/{colleague}/",
    }


def of_privacy() -> dict[str, str]:
    erasure, failed = (
        PrivacyRequest.objects.filter(kind="erase", status=each).latest("created_at").pk
        for each in (RunStatus.SUCCEEDED, RunStatus.FAILED)
    )
    tea_drinker = Customer.objects.get(pseudonym=pseudonym("u3")).code
    return {
        "privacy": "/privacy/",
        "no request matches": "/privacy/?kind=export&state=held",
        "new request": "/privacy/new/?example=1",
        "new request for a customer": f"/privacy/new/?kind=erase&customer={tea_drinker}",
        "erasure": f"/privacy/{erasure}/",
        "erasure that failed": f"/privacy/{failed}/",
        "receipts": "/privacy/receipts/",
        "where data are held": "/privacy/held/",
        "legal holds": "/privacy/holds/",
        "legal hold": f"/privacy/holds/{LegalHold.objects.get().pk}/",
        "retention": "/privacy/retention/",
        "a rule of retention": "/privacy/retention/events/?days=84",
        "releases": "/privacy/releases/",
        "release": f"/privacy/releases/{Release.objects.latest('created_at').pk}/",
    }


def of_suspicion() -> dict[str, str]:
    quarantine = Quarantine.objects.values_list("pk", flat=True)[0]
    return {
        "new items": "/catalogue/new-items/",
        "whom an item suits": f"/catalogue/{Item.objects.get(shop_id='soap-1').pk}/suits/",
        "what reads like an item": f"/catalogue/{Item.objects.get(shop_id='tea-0').pk}/alike/",
        "new items of a placement that promises nothing": "/catalogue/new-items/?placement=home",
        "suspicious demand": "/catalogue/suspicious/",
        "nothing suspicious matches": "/catalogue/suspicious/?state=deleted",
        "quarantine": f"/catalogue/suspicious/{quarantine}/",
        "what a key sent": "/catalogue/suspicious/key/?since=2026-08-01T00:00",
    }


def of_groups() -> dict[str, str]:
    audience = Audience.objects.values_list("pk", flat=True)[0]
    return {
        "segments": "/segments/",
        "segment": "/segments/1/",
        "bought together": "/segments/together/",
        "no pair matches": "/segments/together/?q=zzzz",
        "audiences": "/audiences/",
        "audience": f"/audiences/{audience}/",
        "new audience": "/audiences/new/",
    }


def of_experiments() -> dict[str, str]:
    real = Experiment.objects.filter(simulated=False)
    running, draft = (real.get(name=name).pk for name in ("More at once", "Another order"))
    practised = Experiment.objects.get(simulated=True).pk
    return {
        "experiments": "/experiments/",
        "drafts of experiments": "/experiments/?tab=drafts",
        "new experiment": f"/experiments/new/?copy={running}",
        "experiment": f"/experiments/{running}/",
        "arm to publish": f"/experiments/{running}/?open=publish&arm=B",
        "draft of an experiment": f"/experiments/{draft}/?open=start",
        "editor of an experiment": f"/experiments/{draft}/edit/",
        "draft to practise": f"/experiments/{draft}/?open=practise",
        "practised experiments": "/experiments/?tab=practice",
        "practice": f"/experiments/{practised}/",
    }


def of_sendings() -> dict[str, str]:
    campaign = Campaign.objects.get(name="Spring picks")
    sending = campaign.occurrences.exclude(state=OccurrenceState.PLANNED).get()
    one = sending.considered.order_by("-due_at")[0].customer
    place = f"/campaigns/{campaign.pk}"
    return {
        "send plan": f"{place}/plan/",
        "sending": f"{place}/sendings/{sending.pk}/",
        "people of a sending": f"{place}/sendings/{sending.pk}/people/?verdict=no_address",
        "person of a sending": f"{place}/sendings/{sending.pk}/people/{one.code}/",
        "person of a sending with reasons": f"{place}/sendings/{sending.pk}/people/{one.code}/?lists=yes",
        "campaign to hand over": f"{place}/review/",
        "campaign to approve": f"{place}/approve/",
    }


def of_campaigns() -> dict[str, str]:
    running, draft = (Campaign.objects.get(name=name).pk for name in ("For you this week", "Left in the cart"))
    return {
        "campaigns": "/campaigns/",
        "no campaign archived": "/campaigns/?archived=yes",
        "new campaign": "/campaigns/new/",
        "campaign to begin": "/campaigns/new/?start=due_again",
        "campaign": f"/campaigns/{running}/",
        "campaign to end": f"/campaigns/{running}/?open=end",
        "editor of a campaign": f"/campaigns/{draft}/edit/?step=what",
        "review of a campaign": f"/campaigns/{draft}/edit/?step=review",
    }


def of_pressure() -> dict[str, str]:
    tea_drinker = Customer.objects.get(pseudonym=pseudonym("u3")).code
    return {
        "what messages teach": "/campaigns/learned/",
        "what messages bring": "/campaigns/results/",
        "effect of all messages": "/campaigns/results/all/",
        "new import of campaigns": "/campaigns/import/",
        "pressure": "/campaigns/pressure/",
        "rules of pressure to try": "/campaigns/pressure/?most_email_24=1&quiet_from=22:00&quiet_until=07:00&holdout=5",
        "proof of the rules of pressure": "/campaigns/pressure/proof/",
        "agent": "/campaigns/agent/",
        "step of the agent": "/campaigns/agent/?open=step&to=acts",
        "draft of the agent's rules": "/campaigns/agent/effect/?levers=hour&share=45&floor=2",
        "statements of the agent": "/campaigns/agent/statements/",
        "practice of the agent": "/campaigns/agent/practice/",
        "person of the agent": f"/campaigns/agent/people/{tea_drinker}/",
        "calendar of campaigns": "/campaigns/calendar/",
        "messages of a customer": f"/customers/{tea_drinker}/messages/",
    }


def of_the_mailbox() -> dict[str, str]:
    mail = mailbox.keys_of(settings.MAILBOX)[0]
    keys = {kind: notice_keys(settings.MAILBOX, kind) for kind in NoticeKind}
    pushes, hooks = keys[NoticeKind.PUSHES], keys[NoticeKind.HOOKS]
    return {
        "mailbox": "/mailbox/",
        "no mail matches": "/mailbox/?q=zzzz",
        "mail": f"/mailbox/{mail}/",
        "mail on a phone": f"/mailbox/{mail}/?width=phone",
        "notifications that were sent": "/mailbox/?kind=pushes",
        "notification": f"/mailbox/pushes/{pushes[1]}/",
        "notification that is sealed": f"/mailbox/pushes/{pushes[0]}/",
        "webhooks that were sent": "/mailbox/?kind=hooks",
        "webhook that was sent": f"/mailbox/hooks/{hooks[0]}/",
    }


def of_what_happened() -> dict[str, str]:
    run = Run.objects.order_by("created_at").values_list("pk", flat=True)[0]
    return {
        "events": "/events/?from=2026-08-01&until=2026-09-30",
        "answers": "/answers/",
        "attributed": "/attributed/",
        "activity": "/activity/",
        "stability": "/stability/",
        "runs": "/runs/",
        "run": f"/runs/{run}/",
        "account": "/account/",
        "password": "/account/password/",
        "second factor": "/account/second-factor/",
        "search": "/search/?q=tea",
        "nothing found": "/search/?q=zzzz",
    }
