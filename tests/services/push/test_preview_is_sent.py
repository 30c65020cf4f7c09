"""What the preview shows is what is sent: byte for byte, but for the links, which carry whose they are."""

import re
from email.message import EmailMessage

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.models import Campaign, CampaignVersion, Contact
from recommendations.push_terms import CampaignKind, Channel
from recommendations.services.campaigns.form import as_json
from recommendations.services.campaigns.lifecycle import form_of
from recommendations.services.campaigns.presets import preset_of
from recommendations.services.push.sender import ChannelSender
from recommendations.services.push.sendings import decide_pushes
from recommendations.services.push.trying import look_at
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.events.pseudonyms import pseudonym
from tests.post_office import post_office
from tests.push_records import contact, pressure

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE = [f"u{number}" for number in range(12)]
OWN = re.compile(r"http://[^\"\s]+/m/[cpu]/[\w.-]+/(\?why=[\w.-]+)?")


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"
    pressure(quiet_from="00:00", quiet_until="00:00")


def part(mail: EmailMessage, kind: str) -> str:
    """A part of a mail, with the links of a preview."""
    body = mail.get_body((kind,))
    assert body is not None
    return OWN.sub("#", str(body.get_content()).replace("\r\n", "\n"))  # SMTP ends lines so


@pytest.mark.parametrize("layout", ["tiles", "list", "single"])
def test_the_mail_is_the_preview_but_for_its_links(layout: str) -> None:
    for place, name in enumerate(PEOPLE):
        contact(name)
        Contact.objects.filter(customer__pseudonym=pseudonym(name)).update(language=("en", "zh-hans")[place % 2])
    now, preset = timezone.now(), preset_of(CampaignKind.RECURRING)
    draft = preset.draft()
    draft["what"]["layout"], draft["when"] = layout, {}
    campaign = Campaign.objects.create(slug="w", name="W", kind=CampaignKind.ONCE, purpose=preset.purpose, draft=draft)
    form = form_of(campaign)
    CampaignVersion.objects.create(campaign=campaign, number=1, frozen=as_json(form), starts_at=now)
    looks = {
        f"{name}@example.com": look_at(campaign, form, customer=key, language="", now=now)
        for name in PEOPLE
        for key in [Contact.objects.get(customer__pseudonym=pseudonym(name)).pk]
    }
    decide_pushes(now=now)
    with post_office() as office:
        line = Smtp(SmtpServer(host="127.0.0.1", port=office.port, timeout=2), sender=lambda _parcel: "b@shop.example")
        sender = ChannelSender(channel=Channel.EMAIL, line=line, holder="me", clock=lambda: now)
        while sender.send_some(current_snapshot()):
            pass
        line.close()
    assert {mail["To"] for mail in office.mails} == set(looks)
    assert {look.language for look in looks.values()} == {"en", "zh-hans"}
    for mail in office.mails:
        seen = looks[mail["To"]].letter
        assert mail["Subject"] == seen.subject
        assert part(mail, "html") == seen.html + "\n"
        assert part(mail, "plain") == seen.text
        assert len(bytes(mail)) < 60_000
