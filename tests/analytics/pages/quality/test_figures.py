"""What the quality page says in each state of an installation, and what of its address it understands."""

import csv
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from analytics.exports.table import csv_file
from recommendations.models import Evaluation
from recommendations.terms import MeasuredKind, Role, Task
from tests.analytics import records

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12
KINDS = MeasuredKind
VALUES = {
    ("hybrid", KINDS.HYBRID): 0.4,
    ("hybrid_proposed", KINDS.HYBRID): 0.41,
    ("ease_home", KINDS.RECOMMENDER): 0.3,
    ("personal_frequency", KINDS.BASELINE): 0.35,
    ("recent", KINDS.BASELINE): 0.1,
    ("popular", KINDS.BASELINE): 0.2,
}


@pytest.fixture
def run() -> Evaluation:
    """A table with everything that a run measures."""
    run = records.measured(records.version(records.run()), Task.HOME, VALUES)
    records.compared(run, {"ease_home": -0.1, "personal_frequency": -0.05, "popular": -0.2, "hybrid_proposed": 0.005})
    for name, value in (("hybrid", 0.4), ("personal_frequency", 0.35), ("popular", 0.2)):
        records.sliced(
            run, name, ("activity", "cold", 40, value), ("activity", "warm", 1800, value), ("segment", "2", 150, value)
        )
    names = ["hybrid", "ease_home", "popular"]
    run.overlap = {"names": names, "shares": [[1, 0.4, 0.3], [0.4, 1, 0.2], [0.3, 0.2, 1]]}
    run.save()
    return run


def text(client: Client, address: str = "/quality/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def names(page: str) -> list[str]:
    """Names of the rows of the leader table, as they stand."""
    table = page[page.index('id="leaders"') : page.index('id="slices"')]
    return re.findall(r'<th scope="row">([^<]+?)(?: <span|</th>)', table)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_the_quality_page(client_of: Callable[[Role], Client], role: Role, run: Evaluation) -> None:
    assert "How good are the recommendations, and for whom?" in text(client_of(role))


def test_before_the_first_run(admin: Client) -> None:
    page = text(admin)
    assert "Nothing measured yet" in page
    assert "The first run that finishes measures every recommender" in page
    assert "data-figure-for" not in page
    assert text(admin, "/quality/?format=csv").startswith("<!doctype html>")  # there is no table yet


def test_a_task_without_measured_customers_says_so(admin: Client, run: Evaluation) -> None:
    page = text(admin, "/quality/?task=discover")
    assert "No one with a history bought anything for this task in the test window." in page


def test_one_sentence_first_then_the_protocol_then_the_table(admin: Client, run: Evaluation) -> None:
    page = text(admin)
    places = [
        page.index(words)
        for words in (
            "By NDCG@10 the hybrid is clearly better than “What they always buy” (+14.3%",
            "trained on purchases up to Aug. 18, 2026, tested on 1,983 customers over the following 28 days",
            "Compare all recommenders", "For whom does it work?", "Accuracy vs. catalogue coverage",
            "Across runs", "Overlap between recommenders",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert len(names(page)) == len(VALUES)


@pytest.mark.parametrize("domain", ["video", "music", "articles"])
def test_where_nothing_is_sold_it_speaks_of_no_customer_and_no_purchase(
    admin: Client, run: Evaluation, settings: Settings, domain: str
) -> None:
    settings.SHOP_DOMAIN, locale = domain, settings.LOCALE_PATHS[-1]
    settings.LOCALE_PATHS = [locale / "domains" / domain, locale]
    forbidden = {"en": "customer|purchase|basket|bought", "zh-hans": "顾客|购买|购物"}
    for language, words in forbidden.items():
        answer = admin.get("/quality/", headers={"accept-language": language}).content.decode()
        main = answer.partition("<main")[2].partition("</main>")[0]
        shown = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|style|dialog).*?</\1>", " ", main))
        assert re.findall(rf".{{0,30}}(?:{words}).{{0,30}}", shown) == [], language


def test_differences_are_told_in_words_and_signs(admin: Client, run: Evaluation) -> None:
    page = text(admin)
    assert "▼ −0.100" in page
    assert "95% interval −0.1100 to −0.0900" in page
    assert '≈ +0.005<span class="visually-hidden"> no clear difference</span>' in page


def test_the_address_chooses_the_kind_of_slices(admin: Client, run: Evaluation) -> None:
    activity, segments = text(admin), text(admin, "/quality/?slice=segment")
    assert activity.count("uncertain: few customers") == 1  # those of few baskets
    assert "Few baskets <span" in activity
    assert "Some baskets</th>" in activity
    assert "2</th><td" in segments
    assert "Few baskets <span" not in segments
    assert "No slices yet" in text(admin, "/quality/?slice=department")


def test_the_table_is_sorted_as_the_address_says(admin: Client, run: Evaluation) -> None:
    best_first = ["Hybrid, proposed weights", "Hybrid, as served", "What they always buy",
                  "Goes with purchases", "Best sellers", "Recent best sellers"]  # fmt: skip
    assert names(text(admin)) == best_first
    assert names(text(admin, "/quality/?sort=ndcg%4010")) == best_first[::-1]
    by_name = text(admin, "/quality/?sort=name")
    assert names(by_name) == sorted(best_first)
    assert by_name.count('aria-sort="ascending"') == 1


@pytest.mark.parametrize(
    "query",
    ["task=x", "slice=x", "sort=x", "sort=--ndcg", "format=x", "a=x&b=y", "a=hybrid&b=hybrid", "task=&sort=%00"],
)
def test_odd_parameters_are_as_if_absent(admin: Client, run: Evaluation, query: str) -> None:
    page = text(admin, f"/quality/?{query}")
    assert names(page)[0] == "Hybrid, proposed weights"


def test_an_older_version_says_what_the_next_run_will_measure(admin: Client) -> None:
    records.measured(records.version(records.run()), Task.HOME, VALUES)
    page = text(admin)
    assert "The next run will measure how sure that is." in page
    assert "Differences from the live hybrid are not available yet" in page
    assert "No slices yet" in page
    assert "No overlap yet" in page
    assert "Nothing stored per customer yet" in page
    assert "One run so far" in page


def test_the_csv_file_holds_the_figures_of_the_page(admin: Client, run: Evaluation) -> None:
    answer = admin.get("/quality/?format=csv&sort=ndcg%4010")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="quality-home.csv"'
    lines = parsed(answer)
    assert [line["Code"] for line in lines] == [
        "recent", "popular", "ease_home", "personal_frequency", "hybrid", "hybrid_proposed",
    ]  # fmt: skip
    ease = lines[2]
    assert (ease["Recommender"], ease["Kind"], ease["Training, s"]) == ("Goes with purchases", "Recommender", "1.5")
    assert [ease[f"NDCG@10{end}"] for end in ("", ": low end", ": high end")] == ["0.3", "0.29", "0.31"]
    assert ease["NDCG@10, difference to the hybrid"] == "-0.1"  # a number, so it stays one
    assert ease["Recall@20"] == ""


def test_texts_of_a_file_are_no_formulas() -> None:
    rows = [["=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain", -1.5, None]]
    (line,) = parsed(csv_file("x", head=["a", "b", "c", "d", "e", "f", "g", "h", "i"], rows=rows))
    assert list(line.values()) == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "plain", "-1.5", ""]


def parsed(answer: HttpResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines(keepends=True)))


@pytest.mark.parametrize("kind", ["activity", "segment", "department", "new_items"])
def test_the_quality_page_takes_few_queries(admin: Client, run: Evaluation, kind: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        text(admin, f"/quality/?slice={kind}")
    assert len(queries) <= MOST_QUERIES
