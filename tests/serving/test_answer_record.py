"""What is stored of an answer tells all that it was made of, and of nobody who must not be known."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
import redis

from recommendations.engine.ranking.exploration import chances
from recommendations.event_types import EventName
from recommendations.models import (
    AnswerBasis,
    AnswerRequest,
    AnswerState,
    BlendWeights,
    Customer,
    Item,
    ModelVersion,
    PageSlot,
    Placement,
    RuleBook,
    ShopPage,
    Slate,
)
from recommendations.services.operations import housekeeping
from recommendations.serving.answer_record import BasisRecord, RequestRecord, StateRecord, page_ids
from recommendations.serving.arms import unit_of
from recommendations.serving.serve import serve, serve_page, serve_written
from recommendations.serving.types import Answer, PageRequest, Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import LiveEvent
from recommendations.store.serving.answer_parts import content_of
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import BlendName, CustomerKind, Way
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def written(*requests: Request) -> list[Slate]:
    """The slates of these requests, in order, from the record."""
    answers = [serve(request, now=NOW) for request in requests]
    write_slates()
    return [Slate.objects.get(recommendation_id=answer.recommendation_id) for answer in answers]


def home(user: str | None = "u0", **more: Any) -> Request:
    return Request(placement="home", user_id=user, **more)


def basis_of(slate: Slate) -> BasisRecord:
    assert slate.basis is not None
    return msgspec.json.decode(content_of("basis", slate.basis) or b"", type=BasisRecord)


def request_of(slate: Slate) -> RequestRecord:
    assert slate.request is not None
    return msgspec.json.decode(content_of("request", slate.request) or b"", type=RequestRecord)


def state_of(slate: Slate) -> StateRecord:
    assert slate.state is not None
    return msgspec.msgpack.decode(content_of("state", slate.state) or b"", type=StateRecord)


def key_of(user: str) -> int:
    return Customer.objects.get(pseudonym=pseudonym(user)).pk


def acts(name: str = EventName.VIEW_ITEM) -> None:
    """Let u0 do something, of which the live state tells."""
    tea = Item.objects.get(shop_id="tea-0").pk
    writes.remember([LiveEvent(customer=key_of("u0"), name=name, item=tea, at=NOW)])


def test_the_basis_names_what_served() -> None:
    (slate,) = written(home())
    basis, snapshot = basis_of(slate), current_snapshot()
    assert basis.model == slate.model_version == ModelVersion.objects.live().get().pk
    assert basis.weights in {weights.key for weights in snapshot.weights.values()}
    assert (basis.rules, basis.catalogue) == (slate.rules_version, snapshot.stock.mark)
    assert basis.placement == snapshot.placements["home"]


def test_the_request_is_stored_without_the_ids_of_its_customer() -> None:
    asked = home("u1", anonymous_id="a1", n=7, exclude_item_ids=("tea-0", "no\x00such"), search_term="\x00")
    (slate,) = written(asked)
    stored = request_of(slate).request
    assert (stored.user_id, stored.anonymous_id) == (None, None)
    assert (stored.n, stored.exclude_item_ids, stored.search_term) == (7, asked.exclude_item_ids, "\x00")
    for table in (AnswerBasis, AnswerRequest):
        for key in table.objects.values_list("pk", flat=True):
            assert b"u1" not in (content_of("request", key) or content_of("basis", key) or b"")


@pytest.mark.parametrize("whole", [True, False])
def test_the_state_is_that_which_the_answer_was_made_of(whole: bool, valkey: redis.Redis) -> None:
    writes.rebuild()
    acts()
    if not whole:
        valkey.delete(fetch.BUILT)  # so that PostgreSQL has to help
    held = fetch.state_of(key_of("u0"), since=current_snapshot().model.as_of).state  # type: ignore[union-attr]
    (slate,) = written(home())
    assert state_of(slate).state == held
    assert held.recent
    assert AnswerState.objects.get().customer_id == key_of("u0")


def test_equal_answers_share_their_parts_and_another_state_is_another_part() -> None:
    writes.rebuild()
    one, other = written(home(), home())
    assert (one.basis, one.request, one.state) == (other.basis, other.request, other.state)
    acts(EventName.DISLIKE_ITEM)
    (later,) = written(home())
    assert (later.basis, later.request) == (one.basis, one.request)
    assert later.state != one.state


def test_a_visit_beside_the_record_names_its_weights_too() -> None:
    (without,) = written(home())
    acts()
    (with_visit,) = written(home())
    session = next(one for key, one in current_snapshot().weights.items() if key.blend == BlendName.SESSION)
    assert (without.visit_weights, with_visit.visit_weights) == (None, session.version)
    assert (basis_of(without).visit_weights, basis_of(with_visit).visit_weights) == (None, session.key)


def test_the_unit_is_the_person_before_any_event() -> None:
    stranger, known, both = written(home("nobody yet"), home("u0"), home("u0", anonymous_id="a5"))
    assert stranger.customer_id is None
    assert stranger.unit == int.from_bytes(pseudonym("nobody yet")[:8], "big", signed=True)
    assert known.unit == both.unit == unit_of([pseudonym("u0")])
    (unnamed,) = written(home(None))
    assert unnamed.unit is None
    (anonymous,) = written(home(None, anonymous_id="a5"))
    assert anonymous.unit == unit_of([pseudonym("a5", kind=CustomerKind.ANONYMOUS)])


def test_nothing_is_stored_of_who_does_not_want_to_be_known() -> None:
    acts()
    (slate,) = written(home(personalise=False))
    assert (slate.unit, slate.customer_id, slate.request, slate.state) == (None, None, None, None)
    assert not AnswerState.objects.exists()
    assert basis_of(slate).placement.name == "home"


def test_a_cached_answer_names_the_parts_of_the_first() -> None:
    writes.rebuild()

    def write(answer: Answer) -> bytes:
        return b"%d" % len(answer.shown)

    first, second = (serve_written(home(), write=write, now=NOW) for _ in range(2))
    write_slates()
    one, other = (Slate.objects.get(recommendation_id=one.recommendation_id) for one in (first, second))
    assert one.basis is not None
    assert (one.basis, one.request, one.state) == (other.basis, other.request, other.state)
    assert content_of("state", other.state) is not None  # type: ignore[arg-type]


def test_each_slot_of_a_page_tells_of_all_others() -> None:
    page = ShopPage.objects.create(name="front")
    for position, name in enumerate(("home", "discover"), 1):
        placement = Placement.objects.get(name=name)
        PageSlot.objects.create(page=page, placement=placement, position=position, n=4)
    fetch.announce(fetch.Changed.PLACEMENTS)
    shared = home()
    served = serve_page(
        PageRequest(name="front", shared=shared), write=lambda answer: answer.placement.encode(), now=NOW
    )
    write_slates()
    ids = [one.recommendation_id for one in served]
    assert ids == page_ids(ids[1], 2)
    for one in served:
        stored = request_of(Slate.objects.get(recommendation_id=one.recommendation_id))
        assert (stored.page, [*map(tuple, stored.slots)]) == ("front", [("home", 4), ("discover", 4)])
        assert stored.request.placement == one.content.decode()


def test_what_answers_were_made_of_is_forgotten_after_thirty_days() -> None:
    (slate,) = written(home())
    assert slate.basis is not None
    assert housekeeping.forget_answers(now=NOW + timedelta(days=30)) == 0
    assert housekeeping.forget_answers(now=NOW + timedelta(days=31)) == 3
    assert content_of("basis", slate.basis) is None
    assert Slate.objects.filter(pk=slate.pk).exists()


def test_the_slate_says_how_it_was_explored_and_where_each_item_ranked() -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=1.0)
    fetch.announce(fetch.Changed.WEIGHTS)
    (slate,) = written(home(n=8))
    assert slate.way == Way.SHUFFLED
    assert slate.places != list(range(8))
    assert all(abs(place - slot) < 5 for slot, place in enumerate(slate.places))
    table = chances(8, shuffled=1.0, cards=0.0)
    assert slate.propensities == pytest.approx(table[slate.places, range(8)].tolist())
    assert slate.fixed == []


def test_what_only_fills_up_has_no_place_and_what_rules_hold_is_fixed() -> None:
    pin = {
        "id": 1, "name": "Tea first", "placement": None, "segment": None, "customer": None, "context": [],
        "starts_at": None, "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["tea-0"]}],
        "action": "pin", "slot": 2, "strength": None, "most": None, "per": "", "share": None,
    }  # fmt: skip
    RuleBook.objects.create(number=1, is_default=True, rules=[pin])
    fetch.announce(fetch.Changed.RULES)
    (slate,) = written(home(n=72))
    assert slate.items[1] == Item.objects.get(shop_id="tea-0").pk
    assert (slate.fixed, slate.rules_version, basis_of(slate).rules) == ([1], 1, 1)
    assert 0 < slate.places.index(-1) < 72
    assert set(slate.places[slate.places.index(-1) :]) == {-1}
