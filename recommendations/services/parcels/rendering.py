"""A message as its reader sees it: the campaign's words in their language, their own items, and the links.

The preview and the sending call the same function; what differs are the links, which carry who it was sent to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from recommendations.push_terms import Purpose
from recommendations.services.campaigns.form import BRACES, CampaignForm, texts_for
from recommendations.services.mails.letters import Letter, written
from recommendations.serving.types import Shown
from recommendations.wording import push_labels
from recommendations.wording.money import currency
from recommendations.wording.occasions import ItemOccasion, occasion_text
from recommendations.wording.reasons import reason_text


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where the links of a message lead; ``item`` gives that of the item at a place, 0 = first."""

    home: str
    item: Callable[[int], str]
    unsubscribe: str
    preferences: str
    reasons: str


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whom a message is for, in what a mail says of it; ``zone`` is where they live, "" is where the shop does."""

    language: str
    purpose: Purpose
    said_yes_at: datetime | None
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class MailItem:
    """A product of a mail; ``picture`` is empty where there is none to show."""

    title: str
    link: str
    price: str
    reason: str
    picture: str

    @property
    def letter(self) -> str:
        return self.title[:1].upper()


@dataclass(frozen=True, kw_only=True)
class MessageMail:
    """All that a mail says, in the language of its reader."""

    language: str
    shop: str
    subject: str
    preheader: str
    heading: str
    intro: str
    button: str
    link: str
    items: Sequence[MailItem]
    links: Links
    why: str
    postal_address: str
    is_test: bool

    @property
    def pairs(self) -> list[Sequence[MailItem]]:
        """The products, two to a row."""
        return [self.items[at : at + 2] for at in range(0, len(self.items), 2)]


@dataclass(frozen=True, kw_only=True)
class InboxLine:
    """How an inbox shows a message before it is opened."""

    subject: str
    preheader: str


def letter_of(
    form: CampaignForm, shown: Sequence[Shown], *, reader: Reader, links: Links, variant: int = 0,
    occasion: ItemOccasion | None = None, is_test: bool = False,
) -> Letter:  # fmt: skip
    """The letter that a reader gets; ``variant`` is the number of the subject. The item of the ``occasion`` says it."""
    language, texts = texts_for(form.what, reader.language)
    with translation.override(language):
        values = values_of(shown)
        subject = fill(texts.subjects[variant % len(texts.subjects)], values)
        mail = MessageMail(
            language=language,
            shop=settings.SHOP_NAME,
            subject=f"{_('[Test]')} {subject}" if is_test else mark(subject),
            preheader=fill(texts.preheader, values),
            heading=fill(texts.heading, values) or subject,
            intro=fill(texts.intro, values),
            button=fill(texts.button, values),
            link=links.home,
            items=[item_of(one, links.item(place), occasion) for place, one in enumerate(shown)],
            links=links,
            why=_why(reader),
            postal_address=settings.POSTAL_ADDRESS,
            is_test=is_test,
        )
    return written(form.what.layout, mail, subject=mail.subject, language=language, text="mail")


def inbox_lines(form: CampaignForm, shown: Sequence[Shown], *, language: str) -> list[InboxLine]:
    """The message as an inbox shows it, with each of its subjects."""
    _language, texts = texts_for(form.what, language)
    values = values_of(shown)
    return [
        InboxLine(subject=mark(fill(subject, values)), preheader=fill(texts.preheader, values))
        for subject in texts.subjects
    ]


def picture_for_mail(url: str) -> str:
    """The picture's address if a mail may show it: by https, from a host that is allowed, and no drawing."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    allowed = [urlsplit(each if "//" in each else f"https://{each}").hostname or "" for each in settings.PICTURE_HOSTS]
    is_ours = any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in allowed)
    return url if parts.scheme == "https" and is_ours and not parts.path.lower().endswith(".svg") else ""


def drawn_picture(shop_id: str) -> str:
    """The address of the picture that is drawn of an item that has none."""
    return f"{settings.PUBLIC_URL}{reverse('item-tile-png', args=[shop_id])}"


def mark(subject: str) -> str:
    """The subject with what the law wants before it."""
    return f"{settings.SUBJECT_MARK} {subject}" if settings.SUBJECT_MARK else subject


def values_of(shown: Sequence[Shown]) -> Mapping[str, str]:
    """What the names in braces stand for."""
    return {
        "shop": settings.SHOP_NAME,
        "first_item": shown[0].product.title if shown else "",
        "count": str(max(len(shown) - 1, 0)),
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with what its names in braces stand for."""
    return BRACES.sub(lambda match: values.get(match[0].strip("{}"), match[0]), text)


def item_of(shown: Shown, link: str, occasion: ItemOccasion | None) -> MailItem:
    """A product as a message shows it; that of the ``occasion`` says it."""
    product = shown.product
    price = "" if product.price is None else currency() + formats.number_format(product.price, 2, force_grouping=True)
    if occasion and occasion.item == shown.item:
        reason = occasion_text(occasion)
    else:
        reason = reason_text(shown.reasons[0].code, shown.reasons[0].evidence) if shown.reasons else ""
    return MailItem(
        title=product.title,
        link=link,
        price=price,
        reason=reason,
        picture=picture_for_mail(product.image_url) if product.image_url else drawn_picture(product.shop_id),
    )


def _why(reader: Reader) -> str:
    purpose = dict(push_labels.PURPOSES)[reader.purpose]
    if reader.said_yes_at is None:
        return _("You get this because you said yes to “%(purpose)s”.") % {"purpose": purpose}
    zone = ZoneInfo(reader.zone or settings.SHOP_TIME_ZONE)  # as the page behind the mail's link has it
    day = formats.date_format(reader.said_yes_at.astimezone(zone), "DATE_FORMAT")
    return _("You get this because you said yes to “%(purpose)s” on %(date)s.") % {"purpose": purpose, "date": day}
