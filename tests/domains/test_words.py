"""Words of the domains: a translation that lies over the usual one, in every language of the pages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from pytest_django.fixtures import Settings

from recommendations.domains.protocol import DomainName
from recommendations.domains.table import DOMAINS
from recommendations.terms import Reason
from recommendations.wording import labels, reasons
from recommendations.wording.instance_labels import INSTANCES

LOCALE = Path(settings.BASE_DIR) / "locale"
OVERLAID = [name for name in DomainName if name is not DomainName.GOODS]
ID = re.compile(r'^msgid "(.+)"$', re.MULTILINE)


def ids(language: str, *folder: str) -> set[str]:
    file = LOCALE.joinpath(*folder) / language / "LC_MESSAGES" / "django.po"
    return set(ID.findall(file.read_text(encoding="utf-8")))


@pytest.fixture
def speaking(settings: Settings) -> Iterator[None]:
    """Forget what was said in the words of another domain, before and after."""
    caches = [reasons._plain, reasons._often, reasons._last, reasons._both]
    for each in caches:
        each.cache_clear()
    yield
    for each in caches:
        each.cache_clear()


@pytest.mark.parametrize("name", OVERLAID)
def test_the_words_of_a_domain_stand_for_words_of_the_pages_in_every_language(name: DomainName) -> None:
    assert ids("en", "domains", name) == ids("zh_Hans", "domains", name) > set()
    assert ids("zh_Hans", "domains", name) <= ids("zh_Hans")


@pytest.mark.parametrize(
    ("name", "language", "rhythm", "placement"),
    [
        (DomainName.GOODS, "en", "Bought 3 times; last bought 2 days ago", "Similar items"),
        (DomainName.ARTICLES, "en", "Read 3 times; last read 2 days ago", "More like this"),
        (DomainName.MUSIC, "en", "Heard 3 times; last heard 2 days ago", "More like this"),
        (DomainName.VIDEO, "en", "Watched 3 times; last watched 2 days ago", "More like this"),
        (DomainName.MUSIC, "zh-hans", "听过 3 次，上次听是在 2 天前", "相似曲目"),  # noqa: RUF001
    ],
)
@pytest.mark.usefixtures("speaking")
def test_a_shop_speaks_of_what_it_offers(
    settings: Settings, name: DomainName, language: str, rhythm: str, placement: str
) -> None:
    assert name in DOMAINS
    settings.LOCALE_PATHS = [LOCALE / "domains" / name, LOCALE]
    with translation.override(language):
        assert reasons.reason_text(Reason.BOUGHT_BEFORE, {"times": 3, "days_since": 2}) == rhythm
        assert str(labels.PLACEMENTS["item"]) == placement


@pytest.mark.parametrize("name", OVERLAID)
def test_no_recommender_is_named_after_purchases_where_nothing_is_sold(settings: Settings, name: DomainName) -> None:
    settings.LOCALE_PATHS = [LOCALE / "domains" / name, LOCALE]
    with translation.override("en"):
        named = [
            label
            for label in map(str, INSTANCES.values())
            if re.search(r"(?i)purchase|customer|b[uo][yu]|basket", label)
        ]
    with translation.override("zh-hans"):
        named += [label for label in map(str, INSTANCES.values()) if re.search("[购买篮]|顾客", label)]
    assert named == []


@pytest.mark.usefixtures("speaking")
def test_what_took_an_item_is_named_by_the_domain_and_a_purchase_stays_one(settings: Settings) -> None:
    settings.LOCALE_PATHS = [LOCALE / "domains" / "video", LOCALE]
    with translation.override("en"):
        assert translation.pgettext("taken", "Bought") == "Watched"
        assert translation.pgettext("taken", "Purchases") == "Views"
        assert translation.gettext("Bought") == "Bought"
    with translation.override("zh-hans"):
        assert translation.pgettext("taken", "Bought") == "观看"
        assert translation.gettext("Bought") == "购买"
    settings.LOCALE_PATHS = [LOCALE / "domains" / "articles", LOCALE]
    with translation.override("en"):
        assert translation.pgettext("taken", "Purchases") == "Reads"
        assert translation.gettext("Purchases") == "Purchases"
