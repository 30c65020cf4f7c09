"""The worked example of ``maths.md`` through database, loop and API: numbers that a sheet of paper gives."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.engine.interests.profile import SHRINKAGE
from recommendations.engine.recommenders import interests
from recommendations.loop.run import run_loop
from recommendations.models import Category, Customer, Event, Item, LiveProfile, ModelVersion
from recommendations.services.access.keys import create_key
from recommendations.services.operations.runs import start_run
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models import weight_versions
from recommendations.store.models.main_interests import load_main_interests
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import BlendName, RunStatus, Scope
from tests.shop import BOUGHT, BY_PEOPLE, POPULARITY, PURCHASE, SEARCHED, TOTAL, VIEWED, WEIGHTS
from tests.trained import artefact_folder

NOW = datetime.now(UTC).replace(microsecond=0)
TOLD = 3  # users 1, 2 and 3 have a history; 4 – 10 are cold
SURE = 9 / 11  # of nine acts


@pytest.fixture
def example(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    categories = [Category.objects.create(path=f"C{number}", name=f"Category {number}") for number in range(1, 9)]
    items = {}
    for number in range(1, 21):
        items[number] = Item.objects.create(
            shop_id=str(number), title=f"Item {number}", listed_at=NOW - timedelta(days=365)
        )
        items[number].categories.add(categories[(number - 1) % 8])
    for user in range(1, 11):
        customer = Customer.objects.create(pseudonym=pseudonym(str(user)))
        for name, table in (("purchase", BOUGHT), ("view_item", VIEWED), ("search", SEARCHED)):
            for line, number in enumerate(table.get(user, ())):
                Event.objects.create(
                    occurred_at=NOW - timedelta(seconds=5),
                    event_id=uuid4(),
                    line=line,
                    name=name,
                    customer=customer,
                    item=items[number],
                    quantity=1,
                    transaction_id=f"t{user}" if name == "purchase" else None,
                )
    with artefact_folder(tmp_path):
        run = start_run(by=None, now=NOW, in_worker=False)
        assert run_loop(run.pk, clock=timezone.now) is RunStatus.SUCCEEDED
        yield


def shares_by_hand(user: int, tau: float) -> dict[str, float]:
    """θ_ic = (U_ic + τ g_c) / (Σ_c U_ic + τ), in purchases; item j is the only one of its category with acts."""
    total = sum(POPULARITY)
    return {
        f"Category {number}": float(
            (Fraction(weight, PURCHASE) + Fraction(tau) * popularity / total)
            / (Fraction(TOTAL, PURCHASE) + Fraction(tau))
        )
        for number, (weight, popularity) in enumerate(zip(WEIGHTS[user], POPULARITY, strict=True), start=1)
    }


def test_the_loop_gives_the_interest_shares_of_the_sheet(example: None) -> None:
    names = dict(Category.objects.values_list("pk", "name"))
    known = load_main_interests(ModelVersion.objects.live().get().pk)
    assert known is not None
    for user in range(1, TOLD + 1):
        row = known.users.tolist().index(Customer.objects.get(pseudonym=pseudonym(str(user))).pk)
        for half_life, tau in SHRINKAGE.items():
            shares = {names[key]: share for key, share in known.shares(row, half_life=half_life).items()}
            assert shares == pytest.approx(shares_by_hand(user, tau), abs=1e-4)
            assert known.by_half_life[half_life].weight[row] == pytest.approx(TOTAL / PURCHASE, abs=1e-3)
    assert len(known.users) == LiveProfile.objects.count() == TOLD  # nobody else has one


def test_the_api_gives_the_lists_and_the_scores_of_the_sheet(example: None) -> None:
    """Interests alone give r_ij = θ_ic, as every category has one item with acts; z over the eight candidates.

    Nine acts are believed by 9/11: the rest leans on what everybody takes.
    """
    snapshot_holder.drop()
    weight_versions.append_weights(
        blend=BlendName.HOME, made=weight_versions.Made(weights={"interests": 1.0}, reason="by hand"),
        author=None, now=NOW, publish=True,
    )  # fmt: skip
    key, secret = create_key(name="test", scopes=[Scope.RECOMMENDATIONS_READ], by=None)
    for user in range(1, TOLD + 1):
        response = Client().get(
            "/api/v1/placements/home/recommend/",
            {"user_id": str(user), "n": 8},
            headers={"Authorization": f"Api-Key {key.prefix}.{secret}"},
        )
        assert response.status_code == 200, response.content
        body = response.json()
        assert (body["source"], body["personalised"]) == ("model", True)
        own, popular = scores_by_hand(user), popularity_by_hand()
        expected = {item: SURE * own[item] + (1 - SURE) * popular[item] for item in own}
        scores = {row["item_id"]: row["score"] for row in body["results"]}
        assert scores == pytest.approx(expected, abs=2e-3)  # records are float16
        best_first = sorted(expected, key=lambda item: (-round(expected[item], 9), int(item)))
        assert [row["item_id"] for row in body["results"]] == best_first
        for row in body["results"]:
            item = row["item_id"]
            parts = {"interests": own[item], "little_known": (1 - SURE) * (popular[item] - own[item])}
            assert row["contributions"] == pytest.approx(parts, abs=3e-3)
            assert sum(row["contributions"].values()) == pytest.approx(row["score"], abs=1e-6)


def scores_by_hand(user: int) -> dict[str, float]:
    theta = list(shares_by_hand(user, interests.Config().shrinkage).values())
    return standardised_by_hand(theta)


def popularity_by_hand() -> dict[str, float]:
    return standardised_by_hand(BY_PEOPLE)


def standardised_by_hand(values: Sequence[float]) -> dict[str, float]:
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return {str(number): (value - mean) / spread for number, value in enumerate(values, start=1)}


def test_the_article_s_printed_vectors_follow_from_no_formula() -> None:
    """The article prints a u_1 that sums to 1.7; shares sum to 1 whatever the weights are."""
    for user in range(1, TOLD + 1):
        for tau in (0, 50):
            assert sum(shares_by_hand(user, tau).values()) == pytest.approx(1)
