"""Parts of answers are written once, dated by their last use, and forgotten with it."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from recommendations.models import AnswerBasis, AnswerRequest, AnswerState
from recommendations.store.serving.answer_parts import (
    AnswerParts,
    UsedPart,
    content_of,
    forget_parts,
    write_parts,
)

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 2)
TUESDAY = MONDAY + timedelta(days=1)
PARTS = AnswerParts(basis=b'{"model":7}', request=b"{}", state=b"\x00state")


def used(day: date, *, customer: int = 5, with_content: bool = True) -> list[UsedPart]:
    keys = PARTS.keys(customer)
    contents = (PARTS.basis, PARTS.request, PARTS.state) if with_content else (None, None, None)
    return [
        UsedPart(kind, key, day, customer, content)
        for kind, key, content in zip(("basis", "request", "state"), keys, contents, strict=True)
        if key is not None
    ]


def test_a_part_is_written_once_and_read_as_it_was() -> None:
    write_parts(used(MONDAY) + used(MONDAY))
    write_parts(used(MONDAY))
    basis = AnswerBasis.objects.get()
    assert content_of("basis", basis.pk) == PARTS.basis
    assert content_of("request", AnswerRequest.objects.get().pk) == PARTS.request
    assert content_of("state", AnswerState.objects.get().pk) == PARTS.state
    assert content_of("basis", UUID(int=0)) is None


def test_the_key_is_half_of_the_sha_256() -> None:
    basis, request, _state = AnswerParts(basis=b"", request=b"abc").keys(None)
    assert basis is not None
    assert basis.hex() == "e3b0c44298fc1c149afbf4c8996fb924"
    assert request is not None
    assert request.hex() == "ba7816bf8f01cfea414140de5dae2223"


def test_two_customers_never_share_a_state() -> None:
    assert PARTS.keys(5)[:2] == PARTS.keys(6)[:2]
    assert PARTS.keys(5)[2] != PARTS.keys(6)[2]
    write_parts(used(MONDAY, customer=5) + used(MONDAY, customer=6))
    assert sorted(AnswerState.objects.values_list("customer_id", flat=True)) == [5, 6]


@pytest.mark.parametrize("with_content", [True, False])
def test_a_later_use_moves_the_day_and_an_earlier_one_does_not(with_content: bool) -> None:
    write_parts(used(MONDAY))
    write_parts(used(TUESDAY, with_content=with_content))
    write_parts(used(MONDAY, with_content=with_content))
    for table in (AnswerBasis, AnswerRequest, AnswerState):
        assert table.objects.get().used_on == TUESDAY


def test_of_one_batch_the_last_day_counts_wherever_the_content_stands() -> None:
    write_parts(used(MONDAY) + used(TUESDAY, with_content=False))
    assert AnswerState.objects.get().used_on == TUESDAY


def test_what_no_slate_uses_any_more_is_forgotten() -> None:
    write_parts(used(MONDAY, customer=5))
    write_parts(used(TUESDAY, customer=6))
    assert forget_parts(MONDAY) == 0
    assert forget_parts(TUESDAY) == 1
    assert AnswerState.objects.get().customer_id == 6
    assert forget_parts(TUESDAY + timedelta(days=1)) == 3
