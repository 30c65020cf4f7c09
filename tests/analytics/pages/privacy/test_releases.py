"""Releases: the ledger as a bar, a new one with its refusals, what is in one, and who gets it."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from analytics.queries.privacy.releases import budget_bar
from recommendations.models import AuditEntry, Release
from recommendations.services.access import readers
from recommendations.services.access.rates import RateLimiter
from recommendations.services.access.readers import READS
from recommendations.services.releases.asking import last_sunday
from recommendations.store.releases import noise
from recommendations.terms import Role, RunStatus
from tests.analytics.pages.privacy.releasing import drawn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

PAGE = "/privacy/releases/"
FORM = {"domain": "types", "weeks": "4", "epsilon": "1"}


@pytest.fixture
def _opendp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that can be found, so that the page lets a release be asked for; nothing is drawn here."""
    monkeypatch.setattr(noise, "PACKAGE", "json")


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def wanted(**fields: str) -> dict[str, str]:
    return {**FORM, "last_day": last_sunday(now=timezone.now()).isoformat(), **fields}


def test_without_opendp_the_page_says_how_to_install_it(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "PACKAGE", "no_such_wheel")
    page = text(admin, PAGE)
    assert "pip install --require-hashes -r requirements/releases.txt" in page
    assert "Nothing was told yet" in page
    assert PAGE + "new/" not in page
    assert admin.post(PAGE + "new/", wanted()).status_code == 422
    assert not Release.objects.exists()


@pytest.mark.usefixtures("_opendp")
def test_an_admin_asks_and_others_look(client_of: Callable[[Role], Client]) -> None:
    admin, publisher = client_of(Role.ADMIN), client_of(Role.PUBLISHER)
    assert PAGE + "new/" in text(admin, PAGE)
    assert PAGE + "new/" not in text(publisher, PAGE)
    assert publisher.post(PAGE + "new/", wanted()).status_code == 403
    first = admin.post(PAGE + "new/", wanted())
    release = Release.objects.get()
    assert first["Location"] == f"{PAGE}{release.pk}/"
    assert admin.post(PAGE + "new/", wanted())["Location"] == first["Location"]
    assert (release.bound, release.weeks, str(release.epsilon)) == (20, 4, "1.00")
    page = text(publisher, first["Location"])
    assert "Being made" in page
    assert 'hx-trigger="every 2s"' in page
    assert AuditEntry.objects.get(object_type="release").verb == "ask"


@pytest.mark.usefixtures("_opendp")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        *(("epsilon", each, "A number from 0.1 to 10 with at most two decimals.") for each in (
            "0", "-1", "1e9", "NaN", "Infinity", "1.001", "one")),
        ("last_day", "2999-01-01", "Choose a day of the last year that is over, and whose weeks are still kept."),
        ("last_day", "2020-01-05", "Choose a day of the last year that is over, and whose weeks are still kept."),
        ("weeks", "0", "Select a valid choice"), ("domain", "people", "Select a valid choice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_the_field(admin: Client, field: str, value: str, words: str) -> None:
    answer = admin.post(PAGE + "new/", wanted(**{field: value}))
    assert answer.status_code == 422
    found = re.search(rf'id="id_{field}(?:_\d)?_error".*?</ul>', answer.content.decode(), re.DOTALL)
    assert found
    assert words in html.unescape(found.group())
    assert not Release.objects.exists()


@pytest.mark.usefixtures("_opendp")
def test_what_passes_the_budget_is_refused_with_the_day(admin: Client, settings: Settings) -> None:
    settings.PRIVACY_BUDGET = 3
    drawn(epsilon="2.5")
    answer = html.unescape(admin.post(PAGE + "new/", wanted()).content.decode())
    year = (timezone.now() + timedelta(days=365)).year
    assert re.search(rf"Too much of the budget is spent for ε 1\. It may be made from [^<]*{year} on\.", answer)
    assert "ε 4 is more than the budget of a year." in html.unescape(
        admin.post(PAGE + "new/", wanted(epsilon="4")).content.decode()
    )


def test_the_bar_has_a_piece_for_each_that_spent(admin: Client, settings: Settings) -> None:
    settings.PRIVACY_BUDGET = 10
    drawn(epsilon="2.5")
    drawn(epsilon="1", weeks_ago=1, told=0)
    page = text(admin, PAGE)
    assert "ε 3.5 of 10 is spent, 6.5 is left." in page
    assert re.findall(r'<rect class="is-spent" x="([\d.]+)" width="([\d.]+)"', page) == [
        ("0.0", "25.0"),
        ("25.0", "10.0"),
    ]
    assert "Product types of 4 weeks, " in page
    settings.PRIVACY_BUDGET = 2  # less than was spent: the bar is what was spent
    bar = budget_bar(now=timezone.now())
    assert sum(piece.width for piece in bar.pieces) == pytest.approx(100)
    assert bar.left == "0"


def test_numbers_are_shown_with_what_they_are_worth(admin: Client) -> None:
    release = drawn()
    page = text(admin, f"{PAGE}{release.pk}/")
    assert "each ± 60 in 19 of 20 cases; about 67% of these stand among the true first ones of 3,836" in page
    assert "changes the chance of any such table by no more than the factor e^1." in page
    assert (page.count("<tr>"), "Food > 0" in page, "Food > 30" in page) == (26, True, False)
    assert "Food > 30" in text(admin, f"{PAGE}{release.pk}/?page=2")
    file = admin.get(f"{PAGE}{release.pk}.csv")
    lines = file.content.decode("utf-8-sig").splitlines()
    assert file["Content-Disposition"] == 'attachment; filename="types-2026-08-17-2026-09-13.csv"'
    assert lines[0].startswith('Rank,Id,Name,"Customers, with noise","Within, in 19 of 20 cases",First day,Last day,')
    assert lines[1].startswith("1,Food > 0,Food > 0,900,60,2026-08-17,2026-09-13,20,1,Whether one customer")
    assert len(lines) == 61


@pytest.mark.parametrize(
    ("domain", "weeks", "instead"),
    [
        ("items", 4, "Product types can be told with fewer."), ("types", 1, "Four weeks, or a larger ε, tell more."),
        ("types", 4, "A larger ε tells more."), ("interests", 4, "A larger ε tells more."),
    ],
)  # fmt: skip
def test_what_tells_more_is_what_was_not_asked_for(admin: Client, domain: str, weeks: int, instead: str) -> None:
    release = drawn(told=0, domain=domain, weeks=weeks)
    assert f"the true first ones. {instead} Its ε" in text(admin, f"{PAGE}{release.pk}/")


def test_noise_is_not_told_and_other_ways_are(admin: Client) -> None:
    release = drawn(told=0, domain="items", bound=5)
    page = text(admin, f"{PAGE}{release.pk}/")
    assert (
        "Too few customers for this at ε 1: of the numbers told about 21% would have been the true first ones." in page
    )
    assert "Product types can be told with fewer." in page
    assert "publish/" not in page
    assert admin.get(f"{PAGE}{release.pk}.csv").status_code == 404
    admin.post(f"{PAGE}{release.pk}/publish/")
    assert not Release.objects.get().is_public


def test_a_release_is_everybodys_while_it_is_published(admin: Client) -> None:
    release, stranger = drawn(told=3), Client()
    public = f"/releases/{release.pk}.csv"
    assert stranger.get(public).status_code == 404
    assert "It is published" in text_of(admin, f"{PAGE}{release.pk}/publish/")
    file = stranger.get(public)
    assert (file.status_code, file["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert file.content == admin.get(f"{PAGE}{release.pk}.csv").content
    assert "名次" in stranger.get(f"{public}?lang=zh-hans").content.decode()
    assert public in text(admin, f"{PAGE}{release.pk}/")
    assert "It is withdrawn" in text_of(admin, f"{PAGE}{release.pk}/withdraw/")
    assert stranger.get(public).status_code == 410
    assert stranger.get(f"/releases/{uuid4()}.csv").status_code == 404
    assert stranger.post(public).status_code == 405


def test_readers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = RateLimiter(clock=lambda: 1_800_000_000.0)  # no minute ends meanwhile
    monkeypatch.setattr(readers, "rates", lambda: limiter)
    release = drawn(told=1, published_at=timezone.now())
    answers = [Client().get(f"/releases/{release.pk}.csv").status_code for _ in range(READS + 1)]
    assert (set(answers[:-1]), answers[-1]) == ({200}, 429)


def test_formulas_stay_texts(admin: Client) -> None:
    release = drawn(rows=[["=1+1", "@SUM(A1)", 5]])
    assert b"1,'=1+1,'@SUM(A1),5," in admin.get(f"{PAGE}{release.pk}.csv").content


def test_what_failed_says_why_and_goes_on(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release.objects.create(
        domain="types",
        weeks=4,
        bound=20,
        last_day="2026-09-13",
        epsilon=1,
        status=RunStatus.FAILED,
        message="Disk full.",
    )
    monkeypatch.setattr(noise, "PACKAGE", "no_such_wheel")
    assert "OpenDP, which draws the noise, is not installed. Nothing was drawn" in text(admin, f"{PAGE}{release.pk}/")
    monkeypatch.setattr(noise, "PACKAGE", "json")
    assert "Disk full. Nothing was drawn, and nothing is spent." in text(admin, f"{PAGE}{release.pk}/")
    admin.post(f"{PAGE}{release.pk}/again/")
    assert Release.objects.get().status == RunStatus.QUEUED


def test_the_pages_read_little_and_speak_chinese(admin: Client) -> None:
    for weeks_ago in range(12):
        release = drawn(weeks_ago=weeks_ago)
    for address in (PAGE, f"{PAGE}{release.pk}/"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = text(admin, address)
        assert len(queries) <= 12
        with translation.override("zh-hans"):
            admin.cookies["django_language"] = "zh-hans"
            chinese = text(admin, address)
            del admin.cookies["django_language"]
        assert "公开统计" in chinese
        assert page.count("<tr>") == chinese.count("<tr>")


def text_of(client: Client, address: str) -> str:
    """What the page says after a button was pressed."""
    return html.unescape(client.post(address, follow=True).content.decode())
