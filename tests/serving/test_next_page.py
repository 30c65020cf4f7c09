"""Page after page, nothing comes twice, whatever rules pin and answers explore."""

from itertools import pairwise

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.models import BlendWeights, Item
from recommendations.serving.cursor import unpacked
from recommendations.serving.serve import serve, serve_page
from recommendations.serving.types import Answer, PageRequest, Request
from recommendations.store.live import fetch
from recommendations.terms import RuleAction, Way
from tests.serving.test_rules import of, publish, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _pins_and_explores(_empty_valkey: None) -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=0.4, cards=0.5, diversity=0.2)
    publish(
        rule(1, RuleAction.PIN, of("item", "soap-3"), slot=1),
        rule(2, RuleAction.PIN, of("category", "FOOD > WINE"), slot=3),
        rule(3, RuleAction.BOOST, of("brand", "Brand 1"), strength=60),
        rule(4, RuleAction.CAP, of("category", "FOOD > CHEESE"), most=2, per="brand"),
        rule(5, RuleAction.MINIMUM_SHARE, of("category", "FOOD > SOAP"), share=0.2),
    )
    fetch.announce(*fetch.Changed)


def pages(most: int, **asked: object) -> list[Answer]:
    answers: list[Answer] = []
    cursor: str | None = ""
    while cursor is not None and len(answers) < most:
        answers.append(serve(Request(cursor=cursor, **asked), now=timezone.now()))  # type: ignore[arg-type]
        cursor = answers[-1].next_cursor
    return answers


def items(*answers: Answer) -> list[int]:
    return [shown.item for answer in answers for shown in answer.shown]


@settings(max_examples=40, deadline=None)
@given(
    placement=st.sampled_from(["home", "discover", "buy_again", "trending", "new", "email", "item", "category"]),
    user=st.sampled_from(["u0", "u7", "u31", "nobody", None]),
    n=st.integers(1, 13),
)
def test_nothing_comes_twice_in_ten_pages(placement: str, user: str | None, n: int) -> None:
    answers = pages(10, placement=placement, user_id=user, n=n, item_ids=("tea-1",))
    every = items(*answers)
    assert len(every) == len(set(every))
    assert all(len(answer.shown) == n for answer in answers[:-1])
    for before, after in pairwise(answers):
        assert before.next_cursor is not None
        assert not set(unpacked(before.next_cursor)) & set(items(after))
    last = answers[-1]
    assert (last.next_cursor is None) == (len(last.shown) < n)
    if last.next_cursor is not None:
        assert unpacked(last.next_cursor) == tuple(sorted(every))


def test_the_pages_are_the_whole_shop_and_explore_and_keep_the_rules() -> None:
    answers = pages(20, placement="home", user_id="u0", n=10)
    assert sorted(items(*answers)) == sorted(Item.objects.values_list("pk", flat=True))
    assert {answer.way for answer in answers} > {Way.AS_RANKED}
    assert answers[0].shown[0].product.shop_id == "soap-3"
    wines = [answer.shown[2].product.shop_id for answer in answers[:5]]
    assert len({*wines}) == 5
    assert {wine.partition("-")[0] for wine in wines} == {"wine"}  # each page has its pin


def test_without_exploring_the_pages_are_one_long_answer() -> None:
    publish()
    BlendWeights.objects.filter(is_default=True).update(exploration=0, cards=0, diversity=0)
    fetch.announce(*fetch.Changed)
    long = serve(Request(placement="home", user_id="u0", n=30), now=timezone.now())
    assert items(*pages(3, placement="home", user_id="u0", n=10)) == items(long)


def test_the_next_page_of_a_slot_is_without_all_that_stands_on_the_page() -> None:
    answers: list[Answer] = []

    def write(answer: Answer) -> bytes:
        answers.append(answer)
        return b""

    serve_page(PageRequest(name="home", shared=Request(placement="", user_id="u0")), write=write, now=timezone.now())
    every = set(items(*answers))
    home = answers[0]
    assert home.next_cursor is not None
    after = serve(Request(placement="home", user_id="u0", n=12, cursor=home.next_cursor), now=timezone.now())
    assert len(after.shown) == 12
    assert not every & set(items(after))
