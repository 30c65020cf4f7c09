"""A visit of the demo's shop gets another proof of who is signed in before the old one expires."""

from datetime import UTC, datetime, timedelta

from storefront.visits import Visit

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_a_proof_is_asked_for_again_an_hour_before_it_expires() -> None:
    visit = Visit()
    assert not visit.needs_proof(NOON)  # nobody is signed in
    visit.user_id = "718"
    assert visit.needs_proof(NOON)
    visit.proved_until = NOON + timedelta(hours=12)
    assert not visit.needs_proof(NOON + timedelta(hours=11))
    assert visit.needs_proof(NOON + timedelta(hours=11, seconds=1))
    visit.begin_anew()
    visit.user_id = "719"
    assert visit.needs_proof(NOON)
