"""The search, its palette, and every other way from an id of the shop to that person."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from recommendations.models import Audience, Blend, BlendWeights, Customer, ModelVersion, Rule, RuleBook, Segment
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import Role, RuleAction, WeightsStatus
from tests.analytics import records, rule_records
from tests.analytics.rule_records import form
from tests.lengths import cases

pytestmark = pytest.mark.django_db

IDS = [str(number) for number in range(1, 201)]
"""In the range of our own keys: a number of ours must never stand for one of the shop's."""
OPTION = re.compile(r'role="option"[^>]* href="([^"]+)"( data-exact)?')


@pytest.fixture
def people() -> dict[str, Customer]:
    """Two hundred customers by the shop's id, beside two hundred others, and items whose titles hold the numbers."""
    Customer.objects.bulk_create(Customer(pseudonym=pseudonym(f"other-{shop_id}")) for shop_id in IDS)
    Customer.objects.bulk_create(Customer(pseudonym=pseudonym(shop_id)) for shop_id in reversed(IDS))
    for number in range(0, 200, 10):
        records.item(f"sku-{number}", title=f"Tea, maker {number} #10{number}5")
    by_pseudonym = {bytes(each.pseudonym): each for each in Customer.objects.all()}
    return {shop_id: by_pseudonym[pseudonym(shop_id)] for shop_id in IDS}


def test_an_id_leads_to_the_right_person_from_five_places(admin: Client, people: dict[str, Customer]) -> None:
    wrong, asked = [], IDS[:: len(IDS) // cases(short=40, full=len(IDS))]
    for shop_id in asked:
        who = people[shop_id]
        page = f"/customers/{who.code}/"
        options = OPTION.findall(admin.get(f"/search/palette/?q={shop_id}").content.decode())
        field = admin.get(f"/rules/customers/?customer={shop_id}").content.decode()
        ways = {
            "search": admin.get(f"/search/?q={shop_id}").headers.get("Location") == page,
            "palette": options[:1] == [(page, " data-exact")]
            and [exact for _to, exact in options].count(" data-exact") == 1,
            "Customers": admin.get(f"/customers/?text={shop_id}").headers.get("Location") == page,
            "rule form": re.findall(r'data-value="([^"]+)"', field) == [who.code],
            "link": admin.get(f"/customers/id/{shop_id}/").headers.get("Location") == page,
        }
        wrong += [(shop_id, way) for way, right in ways.items() if not right]
    assert wrong == []


def test_a_rule_for_a_typed_id_is_for_that_person(admin: Client, people: dict[str, Customer]) -> None:
    rule_records.shop()
    for shop_id in IDS[::20]:
        admin.post("/rules/new/", form(name=f"For {shop_id}", customer=shop_id))
    made = dict(Rule.objects.values_list("name", "customer"))
    assert made == {f"For {shop_id}": people[shop_id].pk for shop_id in IDS[::20]}


def palette(client: Client, query: str) -> str:
    answer = client.get(f"/search/palette/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def groups(page: str) -> dict[str, list[str]]:
    """Words of the options by the name of their group, in order."""
    parts = re.split(r'role="group" aria-label="([^"]+)"', page)[1:]
    words = [re.findall(r"<span>([^<]+)", part) for part in parts[1::2]]
    return {name: [text.strip() for text in texts] for name, texts in zip(parts[::2], words, strict=True)}


def test_kinds_are_groups_and_what_is_called_so_comes_first(admin: Client) -> None:
    records.item("1", title="Tea, green")
    Rule.objects.create(name="tea", action=RuleAction.BOOST)
    Segment.objects.create(number=4, name="Tea drinkers", version=records.version(records.run()))
    lovers = Audience.objects.create(name="Lovers of tea")
    Audience.objects.create(name="Old tea", archived_at=timezone.now())
    found = groups(palette(admin, "q=tea"))
    assert found == {
        "Rules": ["tea"], "Items": ["Tea, green"], "Segments": ["Tea drinkers"], "Audiences": ["Lovers of tea"]
    }  # fmt: skip
    assert f'href="/audiences/{lovers.pk}/"' in palette(admin, "q=lovers")
    assert f'href="/audiences/{lovers.pk}/"' in admin.get("/search/?q=tea").content.decode()
    assert groups(palette(admin, f"recent=audience:{lovers.pk}"))["Recently opened"] == ["Lovers of tea"]
    assert groups(palette(admin, "q=sus de"))["Pages"] == ["Suspicious demand"]
    assert "Nothing matches" in palette(admin, "q=zzzz")


def test_versions_are_found_by_the_numbers_of_the_pages(admin: Client) -> None:
    version = ModelVersion.objects.create(run=records.run())
    home = records.published("home", number=3)
    records.published("discover", number=3)
    BlendWeights.objects.create(
        blend=Blend.objects.get(name="home"), number=4, weights={}, status=WeightsStatus.DRAFT, reason="a test"
    )
    RuleBook.objects.create(number=3, note="Spring")
    assert groups(palette(admin, "q=weights v3")) == {"Versions": [str(home), "Discover v3"]}
    assert groups(palette(admin, "q=V3"))["Versions"][0] == str(home)
    assert groups(palette(admin, "q=r3")) == {"Versions": ["Rules r3"]}
    assert groups(palette(admin, f"q=m{version.pk}")) == {"Versions": [f"Run of model {version}"]}
    assert "Nothing matches" in palette(admin, "q=v4")  # a draft is no version yet
    page = admin.get("/search/?q=v3").content.decode()
    assert escape(f"/weights/?blend={home.blend.name}&load=3") in page


def test_the_browser_tells_kinds_and_ids_and_gets_names(admin: Client) -> None:
    who, what = records.customer("u1"), records.item("1", title="Tea, green")
    run = records.run()
    recent = f"item:{what.pk},customer:{who.code},run:{run.pk},rule:99,item:x,segment:1,,customer:12,run:x"
    found = groups(palette(admin, f"recent={recent}"))
    assert found["Recently opened"] == ["Tea, green", who.code, "Run without a model"]
    assert "Overview" in found["Pages"]
    assert "Recently opened" not in groups(palette(admin, ""))


@pytest.mark.parametrize("role", list(Role))
def test_the_palette_names_pages_only_to_those_who_may_open_them(
    client_of: Callable[[Role], Client], role: Role
) -> None:
    named = groups(palette(client_of(role), ""))["Pages"]
    assert {"Items", "Imports", "Placements"} <= set(named)
    assert ({"Import items", "Engineer&#x27;s admin"} <= set(named)) is (role in {Role.CATALOGUE_ADMIN, Role.ADMIN})
    assert ({"API keys", "Staff"} <= set(named)) is (role is Role.ADMIN)


def test_a_phone_asks_before_it_shows_more_than_eight_items(admin: Client) -> None:
    for number in range(8):
        records.item(f"tea-{number}", title=f"Tea {number}")
    assert 'id="more-items"' not in admin.get("/search/?q=tea").content.decode()
    records.item("tea-8", title="Tea 8")
    assert admin.get("/search/?q=tea").content.decode().count('id="more-items"') == 1
