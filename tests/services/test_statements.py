"""Whatever publishes states anew what recommendations go by, in the same transaction, or the database refuses it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from recommendations.models import (
    Blend,
    BlendWeights,
    NewItemPromise,
    Placement,
    RecommendationStatement,
    RuleBook,
    Segment,
)
from recommendations.services.experiments.lifecycle import pause, resume, ship, stop, widen
from recommendations.services.experiments.starting import begin
from recommendations.services.operations.placements import set_placement
from recommendations.services.promises.publishing import PromiseForm, publish_promise, undo_promise
from recommendations.services.rules.books import publish_rules, roll_back_rules, undo_book, withdraw_rules
from recommendations.services.rules.editing import save_rule
from recommendations.services.statements import (
    differences,
    sections_in,
    statement_at,
    statement_now,
    statement_of,
    statements,
)
from recommendations.services.weights.blending import publish, roll_back, serve_tested, withdraw
from recommendations.statement_terms import StatementCause
from recommendations.store.models import weight_versions
from recommendations.store.models.weight_versions import Made
from recommendations.store.statements.ledger import digest_of, note_statement
from recommendations.terms import BlendName, ExperimentStatus, WeightsStatus
from tests.experiment_records import arms_of, experiment
from tests.stated import switch_guard

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
ITEMS = [{"attribute": "price", "operator": "at_least", "values": [3]}]
GUARDS = 8


@pytest.fixture
def guard() -> Iterator[None]:
    """The guard of the database, and a shop whose present configuration is stated."""
    assert switch_guard(on=True) == GUARDS
    RecommendationStatement.objects.all().delete()
    note_statement(StatementCause.START)
    yield
    check_at_commit()


def check_at_commit() -> None:
    """Let the guard look as it does at a commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@transaction.atomic
def committed(*acts: Callable[[], object]) -> None:
    """Act in one transaction, at whose end the guard looks."""
    for act in acts:
        act()
    check_at_commit()


def weights_of(parts: dict[str, float], segment: Segment | None = None, **fields: Any) -> BlendWeights:
    blend = Blend.objects.get(name=BlendName.HOME)
    given = {"status": WeightsStatus.PROPOSED, "number": weight_versions.next_number(blend), "reason": "test"}
    return BlendWeights.objects.create(blend=blend, weights=parts, segment=segment, **given | fields)


def served(parts: dict[str, float], segment: Segment | None = None) -> BlendWeights:
    made = Made(weights=parts, reason="test")
    return weight_versions.append_weights(
        blend=BlendName.HOME, made=made, author=None, now=NOW, publish=True, group=segment
    )


def placed(**changes: Any) -> None:
    set_placement(placement=Placement.objects.get(name="home"), changes=changes, by=None)


def rule_book(name: str = "Dear first", **fields: Any) -> RuleBook:
    values = {"name": name, "action": "pin", "items": ITEMS, "placement": "home", "slot": 1} | fields
    rule = save_rule(rule=None, values=values, revision=None, by=None, now=NOW)
    book = RuleBook.objects.filter(is_default=True).first()
    return publish_rules(rules=[rule.pk], based_on=book.number if book else None, note="x", by=None, now=NOW)


def promised(**changes: Any) -> NewItemPromise:
    home = Placement.objects.get(name="home")
    before = NewItemPromise.objects.filter(placement=home, is_default=True).first()
    return publish_promise(
        home, PromiseForm(**changes), note="x", by=None, now=NOW, based_on=before.number if before else 0
    )


def of_weights() -> Iterator[None]:
    publish(weights=weights_of({"buy_again": 1.0}), by=None, now=NOW, override=True, note="x")
    yield
    served({"als": 0.5, "buy_again": 0.5})
    yield
    roll_back(weights=BlendWeights.objects.get(weights={"buy_again": 1.0}), note="x", by=None, now=NOW)
    yield
    tested = weights_of({"content": 1.0}, status=WeightsStatus.PUBLISHED)
    serve_tested(weights=tested, note="x", by=None, now=NOW, override=True)
    yield
    own = served({"interests": 1.0}, Segment.objects.create(number=4, name="Families", size=7))
    yield
    withdraw(weights=own, note="x", by=None)
    yield


def of_rules() -> Iterator[None]:
    first = rule_book()
    yield
    second = rule_book("Dear last", action="exclude", slot=None)
    yield
    undo_book(book=second, note="x", by=None, now=NOW)
    yield
    roll_back_rules(book=second, note="x", by=None, now=NOW)
    yield
    now = RuleBook.objects.get(is_default=True)
    withdraw_rules(rules=[first.rules[0]["id"]], based_on=now.number, note="x", by=None, now=NOW)
    yield


def of_placements() -> Iterator[None]:
    for change in (
        {"diversity": 0.4},
        {"fatigue": 0.25},
        {"repeat": "exclude"},
        {"cool_down": 0.5},
        {"enabled": False},
    ):
        served({"buy_again": 0.5, "als": 0.5}) if "diversity" in change else None
        placed(**change)
        yield


def of_promises() -> Iterator[None]:
    promised()
    yield
    more = promised(impressions=50)
    yield
    undo_promise(more, by=None, now=NOW)
    yield


def of_experiments() -> Iterator[None]:
    own = experiment(status=ExperimentStatus.STARTING, started_at=None, range_to=2_000)
    own.arms.filter(position=1).update(changes={"placements": {"home": {"n": 6, "fatigue": 0.5}}})
    assert begin(own, now=NOW)
    yield
    pause(experiment=own, by=None, now=NOW)
    yield
    resume(experiment=own, by=None, now=NOW)
    yield
    widen(experiment=own, traffic=0.5, by=None, now=NOW)
    yield
    stop(experiment=own, by=None, now=NOW)
    yield
    ship(experiment=own, arm=arms_of(own)[1], reason="won", by=None, now=NOW)
    yield


@pytest.mark.parametrize("publications", [of_weights, of_rules, of_placements, of_promises, of_experiments])
@pytest.mark.usefixtures("guard")
def test_each_publication_leaves_a_statement(publications: Callable[[], Iterator[None]]) -> None:
    number = 1
    for _done in publications():
        check_at_commit()
        now = statement_now()
        assert now is not None
        assert now.number > number, "the act before has left no statement"
        assert RecommendationStatement.objects.filter(number__gt=number).exclude(because__has_key="start").exists()
        number = now.number


def stated() -> RecommendationStatement | None:
    return note_statement(StatementCause.START)


UNSTATED: dict[str, Callable[[], object]] = {
    "weights": lambda: weights_of({"als": 1.0}, status=WeightsStatus.PUBLISHED, is_default=True),
    "book": lambda: RuleBook.objects.create(number=7, is_default=True, note="x"),
    "placement": lambda: Placement.objects.filter(name="home").update(fatigue=1),
    "promise": lambda: NewItemPromise.objects.create(
        placement=Placement.objects.get(name="home"), number=1, impressions=9, days=9, highest_share=0.2, new_days=9,
        note="x", is_default=True,
    ),
    "experiment": lambda: type(own := experiment()).objects.filter(pk=own.pk).update(status=ExperimentStatus.PAUSED),
}  # fmt: skip


@pytest.mark.parametrize("what", list(UNSTATED))
@pytest.mark.usefixtures("guard")
def test_a_change_without_a_statement_is_a_failed_transaction(what: str) -> None:
    with pytest.raises(IntegrityError, match="without a statement"):
        committed(UNSTATED[what])
    committed(UNSTATED[what], stated)


@pytest.mark.usefixtures("guard")
def test_a_statement_before_the_change_does_not_count() -> None:
    with pytest.raises(IntegrityError, match="without a statement"):
        committed(stated, UNSTATED["placement"])


@pytest.mark.usefixtures("guard")
def test_what_changes_no_parameter_leaves_none() -> None:
    placed(n=7)
    placed(attribution_window=48)
    assert RecommendationStatement.objects.count() == 1
    assert note_statement(StatementCause.START) is None


@pytest.mark.usefixtures("guard")
def test_versions_say_why_what_differs_and_what_held_when() -> None:
    served({"buy_again": 0.41, "ease_home": 0.59})
    weights = served({"buy_again": 0.3, "ease_home": 0.7})
    now, before = statement_now(), statement_of(2)
    assert now is not None
    assert before is not None
    assert (now.number, now.because) == (3, {"weights": weights.pk})
    changes = {
        language: [
            (list(each.gone), list(each.new))
            for each in differences(sections_in(before, language), sections_in(now, language))
        ]
        for language in ("en", "zh-hans")
    }
    assert changes["en"][0] == (
        ["We weigh most: what goes with what you bought (59%), what you buy again and again (41%)."],
        ["We weigh most: what goes with what you bought (70%), what you buy again and again (30%)."],
    )
    assert changes["zh-hans"][0][1] == ["主要依据：与您所购商品相配的商品（70%）、您经常回购的商品（30%）。"]  # noqa: RUF001
    assert [each.number for each in statements()] == [3, 2, 1]
    assert statement_at(now.at) == now
    assert statement_at(before.at - timedelta(days=1)) is None


@pytest.mark.usefixtures("guard")
def test_what_differs_is_said_of_each_placement_whichever_stood_together() -> None:
    """A change of one placement that shared its order with others is no change of those."""
    served({"buy_again": 1.0})
    placed(diversity=0.5)
    older, newer = statement_of(2), statement_of(3)
    assert older is not None
    assert newer is not None
    [only] = differences(sections_in(older, "en"), sections_in(newer, "en"))
    assert (only.title, list(only.gone)) == ("On the home page", [])
    assert list(only.new) == ["So that a list is not all of one kind, its variety counts (50%)."]
    [back] = differences(sections_in(newer, "en"), sections_in(older, "en"))
    assert (list(back.gone), list(back.new)) == (list(only.new), [])


@pytest.mark.usefixtures("guard")
def test_no_version_can_be_rewritten_or_put_in_anothers_place() -> None:
    served({"buy_again": 1.0})
    first, second = RecommendationStatement.objects.order_by("number")
    for own, before in ((first, b""), (second, bytes(first.digest))):
        assert bytes(own.digest) == digest_of(own.number, own.text, own.parameters, before=before)
    with pytest.raises(Exception, match="only added"), transaction.atomic():
        RecommendationStatement.objects.update(because={})


@pytest.mark.usefixtures("guard")
def test_a_way_back_is_a_statement_of_its_own() -> None:
    placed(diversity=0.5)
    served({"buy_again": 1.0})
    old = served({"als": 1.0})
    served({"buy_again": 1.0})
    statement = statement_now()
    assert statement is not None
    assert statement.number == 4
    assert statement.parameters == RecommendationStatement.objects.get(number=2).parameters
    assert old.pk
