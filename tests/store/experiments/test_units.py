"""People of experiments come from slates: each once, in the arm that they saw first, whatever pauses and repeats."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from recommendations.models import Arm, Customer, CustomerAlias, Experiment, Unit
from recommendations.models.customers import UNIT
from recommendations.store.events import mergers
from recommendations.store.events.id_cache import person_keys
from recommendations.store.events.mergers import Merger, Told
from recommendations.store.experiments.units import OVERLAP, settle_units
from recommendations.store.live import fetch
from recommendations.store.serving.served_experiments import running_experiments
from recommendations.terms import CustomerKind, ExperimentKind, ExperimentStatus
from tests.experiment_records import DAY, HOUR, NOW, START, answer, arms_of, experiment, furnish, unit, unit_of, visitor

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _shop() -> None:
    furnish()


@pytest.fixture
def own() -> Experiment:
    return experiment()


@pytest.fixture
def arms(own: Experiment) -> list[Arm]:
    return arms_of(own)


def customer(name: str, kind: CustomerKind = CustomerKind.SIGNED_IN) -> int:
    return person_keys([name], kind)[name]


def merge(anonymous: str, user: str) -> tuple[int, int]:
    pair = customer(anonymous, CustomerKind.ANONYMOUS), customer(user)
    mergers.merge_again(Merger(*pair, NOW), told=Told.API)
    return pair


def stays(own: Experiment) -> dict[int, int | None]:
    return dict(Unit.objects.filter(experiment=own, stays_in__isnull=False).values_list("unit", "stays_in"))


def test_a_person_counts_from_the_first_answer_under_an_arm(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), None, at=START)
    answer(unit_of("u1"), arms[1], at=START + 2 * HOUR)
    answer(unit_of("u1"), arms[1], at=START + HOUR)
    answer(None, arms[0], at=START + HOUR)
    assert settle_units(NOW) == 1
    row = Unit.objects.get()
    assert (row.unit, row.arm, row.first_at, row.mixed, row.customer) == (
        unit_of("u1"), arms[1], START + HOUR, False, None
    )  # fmt: skip


def test_the_customer_is_who_has_that_pseudonym(own: Experiment, arms: list[Arm]) -> None:
    key = customer("u1")
    answer(unit_of("u1"), arms[0])
    answer(unit_of("u2"), arms[0])
    settle_units(NOW)
    assert unit(own, unit_of("u1")).customer_id == key
    assert unit(own, unit_of("u2")).customer_id is None
    later = customer("u2")
    answer(unit_of("u2"), arms[0], at=START + MINUTE)
    settle_units(NOW)
    assert unit(own, unit_of("u2")).customer_id == later


def test_the_unit_of_a_customer_is_looked_up_by_an_index() -> None:
    names = [f"c{number}" for number in range(40)]
    person_keys(names, CustomerKind.SIGNED_IN)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {UNIT}, pseudonym FROM recommendations_customer")
        for number, pseudonym in cursor.fetchall():
            assert number == int.from_bytes(bytes(pseudonym)[:8], "big", signed=True)
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT id FROM recommendations_customer WHERE {UNIT} = 5")
        assert "customer_by_unit" in " ".join(line for (line,) in cursor.fetchall())


def test_settling_twice_changes_nothing(own: Experiment, arms: list[Arm]) -> None:
    for number in range(20):
        answer(unit_of(f"u{number}"), arms[number % 2], at=START + number * MINUTE)
    assert settle_units(NOW) == 20
    before = list(Unit.objects.order_by("pk").values())
    assert settle_units(NOW) == 0
    assert list(Unit.objects.order_by("pk").values()) == before


def test_a_pause_loses_nobody_and_counts_nobody_twice(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], at=START)
    settle_units(NOW)
    own.refresh_from_db()
    assert own.settled_until == START  # the newest slate, not the clock
    answer(unit_of("u2"), arms[0], at=START + 5 * HOUR)  # written after a long pause
    answer(unit_of("u1"), arms[0], at=START + 5 * HOUR)
    assert settle_units(NOW) == 1
    answer(unit_of("u3"), arms[1], at=START + 5 * HOUR - OVERLAP)  # late, but within the overlap
    answer(unit_of("u4"), arms[1], at=START + 5 * HOUR - OVERLAP - timedelta(seconds=1))
    settle_units(NOW)
    assert set(Unit.objects.values_list("unit", flat=True)) == {unit_of("u1"), unit_of("u2"), unit_of("u3")}
    assert unit(own, unit_of("u1")).first_at == START


def test_a_clock_that_is_ahead_does_not_move_the_watermark_beyond_now(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], at=NOW + 2 * HOUR)
    settle_units(NOW)
    own.refresh_from_db()
    assert own.settled_until == NOW


def test_who_saw_two_arms_is_mixed_in_one_pass_or_two(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0])
    answer(unit_of("u1"), arms[1], at=START + MINUTE)
    answer(unit_of("u2"), arms[1])
    settle_units(NOW)
    assert (unit(own, unit_of("u1")).mixed, unit(own, unit_of("u2")).mixed) == (True, False)
    answer(unit_of("u2"), arms[0], at=START + HOUR)
    settle_units(NOW)
    row = unit(own, unit_of("u2"))
    assert (row.mixed, row.arm) == (True, arms[1])


def test_a_slate_written_late_moves_the_first_answer_back(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], at=START + 3 * MINUTE)
    settle_units(NOW)
    answer(unit_of("u1"), arms[0], at=START + MINUTE)
    settle_units(NOW)
    assert unit(own, unit_of("u1")).first_at == START + MINUTE


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": ExperimentKind.BANDIT}, {"simulated": True},
        {"status": ExperimentStatus.STOPPED, "ended_at": START + DAY, "settled_until": START + 2 * DAY},
    ],
)  # fmt: skip
def test_bandits_made_up_and_settled_experiments_get_no_people(fields: dict[str, Any]) -> None:
    own = experiment(**fields)
    answer(unit_of("u1"), arms_of(own)[0], at=START + 2 * DAY)
    assert settle_units(NOW) == 0
    assert not Unit.objects.exists()


def test_the_last_answers_before_the_end_still_count() -> None:
    own = experiment(status=ExperimentStatus.STOPPED, ended_at=START + DAY, settled_until=START + HOUR)
    answer(unit_of("u1"), arms_of(own)[0], at=START + DAY - MINUTE)
    assert settle_units(NOW) == 1


def test_each_experiment_has_people_of_its_own() -> None:
    one, other = experiment(), experiment()
    answer(unit_of("u1"), None, arms=[arms_of(one)[0].pk, arms_of(other)[1].pk])
    settle_units(NOW)
    assert {row.experiment_id: row.arm.position for row in Unit.objects.all()} == {one.pk: 0, other.pk: 1}


def test_a_merged_key_stays_in_the_arm_of_the_earlier_answer(
    own: Experiment, arms: list[Arm], django_capture_on_commit_callbacks: Any
) -> None:
    answer(visitor("a1"), arms[1], at=START + HOUR)
    customer("a1", CustomerKind.ANONYMOUS)
    settle_units(NOW)
    merge("a1", "u1")  # before the first answer to u1
    marks = fetch.state_of(None, since=None).changed or {}
    with django_capture_on_commit_callbacks(execute=True):
        settle_units(NOW)
    assert stays(own) == {unit_of("u1"): arms[1].pk}
    (served,) = running_experiments({}, {})
    assert served.stays == {unit_of("u1"): 1}
    after = fetch.state_of(None, since=None).changed or {}
    assert marks.get("experiments") != after.get("experiments")
    answer(unit_of("u1"), arms[1], at=START + 2 * HOUR)
    settle_units(NOW)
    row = unit(own, unit_of("u1"))
    assert (row.mixed, row.arm, row.customer_id) == (False, arms[1], customer("u1"))


def test_of_two_arms_that_a_merged_person_saw_the_first_goes_on(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], at=START + HOUR)
    answer(visitor("a1"), arms[1], at=START + 2 * HOUR)
    settle_units(NOW)
    merge("a1", "u1")
    settle_units(NOW)
    assert stays(own) == {visitor("a1"): arms[0].pk}
    assert unit(own, visitor("a1")).arm == arms[1]  # what it saw


def test_keys_that_were_merged_before_the_start_are_held_once_both_saw_an_arm(own: Experiment, arms: list[Arm]) -> None:
    merge("a1", "u1")
    CustomerAlias.objects.update(changed_at=START - DAY)
    answer(unit_of("u1"), arms[0], at=START + HOUR)
    settle_units(NOW)
    assert stays(own) == {}
    answer(visitor("a1"), arms[1], at=START + 2 * HOUR)
    settle_units(NOW)
    assert stays(own) == {visitor("a1"): arms[0].pk}


def test_undoing_a_merger_parts_the_two(own: Experiment, arms: list[Arm]) -> None:
    answer(unit_of("u1"), arms[0], at=START + HOUR)
    answer(visitor("a1"), arms[1], at=START + 2 * HOUR)
    settle_units(NOW)
    pair = merge("a1", "u1")
    settle_units(NOW)
    assert mergers.undo(*pair, now=NOW)
    settle_units(NOW)
    assert stays(own) == {}
    assert (unit(own, visitor("a1")).arm, unit(own, visitor("a1")).first_at) == (arms[1], START + 2 * HOUR)
    assert settle_units(NOW) == 0


def test_a_parted_key_that_saw_the_others_arm_goes_on_with_it_and_one_that_saw_none_goes(
    own: Experiment, arms: list[Arm]
) -> None:
    answer(visitor("a1"), arms[1], at=START + HOUR)
    answer(visitor("a2"), arms[0], at=START + HOUR)
    settle_units(NOW)
    pairs = [merge("a1", "u1"), merge("a2", "u2")]
    settle_units(NOW)
    assert stays(own) == {unit_of("u1"): arms[1].pk, unit_of("u2"): arms[0].pk}
    answer(unit_of("u1"), arms[1], at=START + 3 * HOUR)
    for pair in pairs:
        mergers.undo(*pair, now=NOW)
    settle_units(NOW)
    row = unit(own, unit_of("u1"))
    assert (row.stays_in, row.arm, row.first_at) == (arms[1], arms[1], START + 3 * HOUR)
    assert not Unit.objects.filter(unit=unit_of("u2")).exists()


def test_who_parted_from_the_earliest_leaves_the_others_to_the_next(own: Experiment, arms: list[Arm]) -> None:
    answer(visitor("a1"), arms[1], at=START + HOUR)
    answer(visitor("a2"), arms[0], at=START + 2 * HOUR)
    answer(unit_of("u1"), arms[1], at=START + 3 * HOUR)
    settle_units(NOW)
    first, _second = merge("a1", "u1"), merge("a2", "u1")
    settle_units(NOW)
    assert stays(own) == {visitor("a2"): arms[1].pk}
    mergers.undo(*first, now=NOW)
    settle_units(NOW)
    assert stays(own) == {unit_of("u1"): arms[0].pk}
    assert Customer.objects.count() == 3
