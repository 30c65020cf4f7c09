"""The queue of drafts that wait for approval, as a merchandiser and as a publisher see it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import ApprovalRequest, Blend, BlendWeights, Campaign, Rule
from recommendations.push_terms import CampaignKind, Purpose
from recommendations.services.campaigns.lifecycle import create_campaign
from recommendations.terms import Role, WeightsStatus
from tests.analytics import rule_records as records
from tests.services.campaigns.test_form import draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule() -> Rule:
    records.shop()
    return records.rule()


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_rule_goes_from_a_merchandiser_to_a_publisher_and_back(
    rule: Rule, client_of: Callable[[Role], Client]
) -> None:
    ann, bob = client_of(Role.MERCHANDISER), client_of(Role.PUBLISHER)
    assert "Nothing waits for approval" in text(bob, "/approvals/")
    editor = text(ann, f"/rules/{rule.pk}/")
    assert 'name="then" value="ask"' in editor
    assert 'value="publish"' not in editor
    assert "Ask for approval of “Tea first”?" in text(ann, f"/rules/?open=ask&rule={rule.pk}")
    assert (
        ann.post("/approvals/rules/", {"rule": rule.pk, "note": ""})["Location"] == f"/rules/?open=ask&rule={rule.pk}"
    )
    page = " ".join(
        ann.post("/approvals/rules/", {"rule": rule.pk, "note": "Tea week"}, follow=True).content.decode().split()
    )
    assert "1 rule waits for approval." in page
    assert "Waiting for approval" in page

    queue = text(bob, "/approvals/")
    assert "Tea week" in queue
    assert "boost" in queue
    assert '<span class="count">1' in queue
    assert f'href="/rules/?open=publish&amp;rule={rule.pk}"' in queue
    assert "Tea week" in text(bob, f"/rules/?open=publish&rule={rule.pk}")
    [request] = ApprovalRequest.objects.all()
    refused = bob.post(f"/approvals/{request.pk}/send-back/", {"note": " "})
    assert refused.status_code == 422
    assert "Say what should change" in refused.content.decode()
    bob.post(f"/approvals/{request.pk}/send-back/", {"note": "Green tea only"})
    assert "Green tea only" in text(ann, f"/rules/{rule.pk}/")
    assert "Sent back" in text(ann, "/rules/")
    late = bob.post(f"/approvals/{request.pk}/send-back/", {"note": "x"}, follow=True)
    assert "Someone has answered it in the meantime" in late.content.decode()


def test_who_asked_takes_it_back(rule: Rule, client_of: Callable[[Role], Client]) -> None:
    ann = client_of(Role.MERCHANDISER)
    ann.post("/approvals/rules/", {"rule": rule.pk, "note": "Tea week"})
    [request] = ApprovalRequest.objects.all()
    assert "Take back" in text(ann, "/approvals/")
    page = ann.post(f"/approvals/{request.pk}/withdraw/", follow=True).content.decode()
    assert "no longer waits. The draft stays." in page
    assert "Recently decided" in page


def test_weights_are_handed_over_too(client_of: Callable[[Role], Client]) -> None:
    home = Blend.objects.get(name="home")
    fields = {"blend": home, "weights": {"buy_again": 1.0}, "diversity": 0.1, "exploration": 0.0}
    live = BlendWeights.objects.create(number=1, status=WeightsStatus.PUBLISHED, is_default=True, **fields)
    BlendWeights.objects.create(number=2, status=WeightsStatus.DRAFT, parent=live, **fields)
    ann, bob = client_of(Role.MERCHANDISER), client_of(Role.PUBLISHER)
    assert 'value="ask" id="ask-button"' in text(ann, "/weights/")
    assert ann.post("/approvals/weights/", {"blend": "home"})["Location"] == "/weights/?blend=home&ask=1"
    assert 'id="ask" aria-labelledby="ask-title" data-open' in text(ann, "/weights/?blend=home&ask=1")
    ann.post("/approvals/weights/", {"blend": "home", "note": "More variety"})
    assert 'href="/weights/?blend=home&amp;publish=1"' in text(bob, "/approvals/")
    assert "More variety" in text(bob, "/weights/?publish=1")
    gone = ann.post("/approvals/weights/", {"blend": "discover", "note": "x"}, follow=True).content.decode()
    assert "The draft no longer exists" in gone


def test_campaigns_in_review_stand_in_the_queue(client_of: Callable[[Role], Client]) -> None:
    records.shop()
    ann, bob = client_of(Role.MERCHANDISER), client_of(Role.PUBLISHER)
    campaign = Campaign.objects.create(
        slug="spring", name="Spring", kind=CampaignKind.ONCE, purpose=Purpose.NEWS, review_note="Before Easter",
        review_asked_at=timezone.now(),
    )  # fmt: skip
    queue = text(bob, "/approvals/")
    assert "Before Easter" in queue
    assert '<span class="count">1' in queue
    assert f'href="/campaigns/{campaign.pk}/approve/"' in queue
    assert "/approve/" not in text(ann, "/approvals/")
    Campaign.objects.update(archived_at=timezone.now())
    assert "Nothing waits for approval" in text(bob, "/approvals/")


def test_a_campaign_is_sent_back_with_a_note(client_of: Callable[[Role], Client]) -> None:
    records.shop()
    ann, bob = client_of(Role.MERCHANDISER), client_of(Role.PUBLISHER)
    campaign = create_campaign(
        name="Spring", kind=CampaignKind.ONCE, trigger=None, purpose=Purpose.NEWS, draft=draft(), by=None,
        now=timezone.now(),
    )  # fmt: skip
    review, back = f"/campaigns/{campaign.pk}/review/", f"/campaigns/{campaign.pk}/send-back/"
    ann.post(review, {"note": "Before Easter"})
    for page in ("/approvals/", f"/campaigns/{campaign.pk}/approve/"):
        assert f'action="{back}"' in text(bob, page)
    assert back not in text(ann, "/approvals/")
    assert ann.post(back, {"note": "x"}).status_code == 403
    refused = bob.post(back, {"note": " "})
    assert (refused.status_code, "Say what should change" in refused.content.decode()) == (422, True)
    assert Campaign.objects.in_review().exists()
    page = bob.post(back, {"note": "A shorter <subject>"}, follow=True).content.decode()
    assert "“Spring” is sent back, with your note." in page
    assert "Nothing waits for approval" in page
    late = bob.post(back, {"note": "x"}, follow=True).content.decode()
    assert "Someone has answered it in the meantime" in late

    viewer = client_of(Role.VIEWER)
    for client, page in (
        (ann, f"/campaigns/{campaign.pk}/edit/"),
        (ann, review),
        (viewer, f"/campaigns/{campaign.pk}/"),
    ):
        assert "A shorter &lt;subject&gt;" in text(client, page)
        assert "publisher sent the draft back, just now:" in text(client, page)
    activity = text(bob, f"/activity/?type=campaign&id={campaign.pk}")
    assert "sent back" in activity
    assert "asked for review of" in activity
    assert "asked for approval of" not in activity.split("<tbody>")[1]
    assert "A shorter &lt;subject&gt;" in activity
    ann.post(review, {"note": "Shorter now"})
    assert "sent the draft back" not in text(ann, f"/campaigns/{campaign.pk}/edit/")
