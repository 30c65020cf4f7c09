"""Variants of a product in answers, on pages, over pages, and in answers made again."""

from collections import Counter
from collections.abc import Mapping

import msgspec
import pytest
from django.utils import timezone

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.models import Item, Placement
from recommendations.services.catalogue import editing
from recommendations.serving.answer_record import BasisRecord
from recommendations.serving.past.again import Reconstruction, Sameness, again
from recommendations.serving.pipeline import prepare
from recommendations.serving.serve import serve, serve_page
from recommendations.serving.serving_state import resolve
from recommendations.serving.types import Answer, PageRequest, Request
from recommendations.simulation.diagnosis import diagnose
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import NOTHING
from recommendations.store.process_held import drop_all
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.store.serving.stock import load_stock, mark_of, stock_rows
from recommendations.store.serving.stock_at import stock_at
from recommendations.terms import AnswerStage, RuleAction, Variants
from tests.serving.test_again import one
from tests.serving.test_rules import key_of, of, publish, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

PARENTS: Mapping[str, str] = {
    **{f"bread-{n}": "bread-0" for n in range(1, 6)},
    **{f"tea-{n}": "tea-0" for n in range(1, 12)},
    **{f"soap-{n}": "soap-5" for n in (1, 2, 3)},
}  # a loaf in six sizes, one tea in twelve, a soap in four


@pytest.fixture(autouse=True)
def _variants(_empty_valkey: None) -> None:
    writes.rebuild()
    keys = dict(Item.objects.values_list("shop_id", "pk"))
    for shop_id, parent in PARENTS.items():
        Item.objects.filter(shop_id=shop_id).update(parent=keys[parent], updated_at=timezone.now())
    fetch.announce(*fetch.Changed)


def product(shop_id: str) -> str:
    return PARENTS.get(shop_id, shop_id)


def ids(*answers: Answer) -> list[str]:
    return [shown.product.shop_id for answer in answers for shown in answer.shown]


def ask(placement: str = "home", user: str | None = "u0", **more: object) -> Answer:
    return serve(Request(placement=placement, user_id=user, **more), now=timezone.now())  # type: ignore[arg-type]


def as_each(*placements: str) -> None:
    Placement.objects.filter(name__in=placements).update(variants="each")
    fetch.announce(fetch.Changed.PLACEMENTS)


def test_a_product_is_the_row_of_its_parent() -> None:
    stock = current_snapshot().stock
    assert stock.families is not None
    names = {
        p.shop_id: stock.products[family].shop_id for p, family in zip(stock.products, stock.families, strict=True)
    }
    assert names == {shop_id: product(shop_id) for shop_id in names}
    assert stock.products[stock.row_of["tea-4"]].parent_id == "tea-0"
    assert stock.products[stock.row_of["tea-0"]].parent_id is None
    first = stock.first(stock.row_of["soap-5"])
    assert first.families is not None  # of the soap's variants that were there before it each is a product
    assert first.families[stock.row_of["soap-1"]] == stock.row_of["soap-1"]
    assert first.families[stock.row_of["tea-4"]] == stock.row_of["tea-0"]


def test_nothing_is_a_family_where_nothing_has_a_parent_nor_does_a_mark_change() -> None:
    Item.objects.update(parent=None, updated_at=timezone.now())
    assert load_stock().families is None
    row = stock_rows()[0]
    assert mark_of(row) == mark_of(row._replace(parent_id=None))
    assert mark_of(row) != mark_of(row._replace(parent_id="tea-0"))


@pytest.mark.parametrize("placement", ["home", "discover", "trending", "new", "email"])
@pytest.mark.parametrize("user", ["u0", "u3", "nobody", None])
def test_an_answer_has_one_tile_for_each_product_fillers_and_all(placement: str, user: str | None) -> None:
    answer = ask(placement, user, n=100)
    assert max(Counter(map(product, ids(answer))).values()) == 1
    if placement == "home":
        assert {product(shop_id) for shop_id in ids(answer)} == set(
            map(product, Item.objects.values_list("shop_id", flat=True))
        )
    as_each(placement)
    assert len(ids(ask(placement, user, n=100))) > len(ids(answer)) or placement == "discover"


def test_the_tile_is_the_variant_that_ranks_best() -> None:
    as_each("home")
    whole = ids(ask(n=100, dry_run=True))
    Placement.objects.update(variants="one")
    fetch.announce(fetch.Changed.PLACEMENTS)
    answer = ask(n=5, dry_run=True)
    first = {product(shop_id): shop_id for shop_id in reversed(whole)}
    assert ids(answer) == list(dict.fromkeys(first[product(shop_id)] for shop_id in whole))[:5]
    assert answer.trace.lost[IneligibleReason.VARIANT] > 0


def test_a_pin_wins_the_tile() -> None:
    publish(rule(1, RuleAction.PIN, of("item", "bread-5"), slot=2))
    answer = ask(n=8)
    assert ids(answer)[1] == "bread-5"
    assert [shop_id for shop_id in ids(answer) if product(shop_id) == "bread-0"] == ["bread-5"]


def test_variants_of_what_is_in_view_are_left_out() -> None:
    for placement, context in (("item", {"item_ids": ("tea-3",)}), ("also_bought", {"item_ids": ("tea-3",)}),
                               ("cart", {"basket": ("tea-3", "soap-1")})):  # fmt: skip
        shown = ids(ask(placement, n=40, **context))
        gone = {product(shop_id) for shop_id in (*context.get("item_ids", ()), *context.get("basket", ()))}
        assert shown
        assert not gone & set(map(product, shown))
    excluded = ids(ask(n=60, exclude_item_ids=("tea-0",)))  # which is what the shop said, and no more
    assert "tea-0" not in excluded
    assert "tea-0" in set(map(product, excluded))


def test_pages_and_next_pages_share_products() -> None:
    answers: list[Answer] = []

    def write(answer: Answer) -> bytes:
        answers.append(answer)
        return b""

    for user in ("u0", "u3", None):
        answers.clear()
        publish(rule(1, RuleAction.PIN, of("item", "bread-5"), slot=1, placement="trending"))
        page = PageRequest(name="home", shared=Request(placement="", user_id=user))
        serve_page(page, write=write, now=timezone.now())
        products = Counter(map(product, ids(*answers)))
        assert max(products.values()) == 1
        assert ids(next(answer for answer in answers if answer.placement == "trending"))[0] == "bread-5"
    first = ask(n=10)
    second = ask(n=10, cursor=first.next_cursor)
    assert not {*map(product, ids(first))} & {*map(product, ids(second))}


def test_an_answer_with_variants_is_made_again_also_after_they_were_parted() -> None:
    slate = one()
    tea = Item.objects.get(shop_id="tea-0")
    now = timezone.now()
    for item in Item.objects.filter(parent=tea):
        editing.update_item(item=item, changes={"parent": None}, by=None, now=now)
    fetch.announce(*fetch.Changed)
    drop_all()
    then = stock_at(
        slate.served_at, mark=Reconstruction.of(slate, live=current_snapshot(), now=now).parts.basis.catalogue
    )
    assert then.certain
    assert then.stock.products[then.stock.row_of["tea-4"]].parent_id == "tea-0"
    result = again(Reconstruction.of(slate, live=current_snapshot(), now=now))
    assert (result.sameness, list(result.missing)) == (Sameness.EXACT, [])


def test_an_answer_from_before_shows_each_variant_again() -> None:
    slate = one()
    write_slates()
    basis = Reconstruction.of(slate, live=current_snapshot(), now=timezone.now()).parts.basis
    stored = msgspec.json.decode(msgspec.json.encode(basis))
    assert stored["placement"].pop("variants") == "one"
    before = msgspec.json.decode(msgspec.json.encode(stored), type=BasisRecord)
    assert before.placement.variants is Variants.EACH


def test_review_says_that_another_variant_has_the_tile() -> None:
    snapshot, key = current_snapshot(), key_of("u0")
    request = resolve(Request(placement="home", n=10), stock=snapshot.stock, customer=key, recommendation_id="r-1")
    prepared = prepare(request, snapshot=snapshot, state=NOTHING, now=timezone.now())
    answer = ask(n=10, dry_run=True)
    lost = next(shop_id for shop_id in ("bread-0", "bread-1") if shop_id not in ids(answer))
    why = diagnose(prepared, answer, Item.objects.get(shop_id=lost).pk)
    assert (why.stage, why.lost) == (AnswerStage.ELIGIBILITY, IneligibleReason.VARIANT)
