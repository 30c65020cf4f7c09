"""The presets on made shops: their lists find the tastes that were planted better than what everybody likes does."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from demo.town import SyntheticShop, synthetic_shop
from recommendations.domains.articles import ARTICLES
from recommendations.domains.music import MUSIC
from recommendations.domains.protocol import Domain
from recommendations.domains.video import VIDEO
from recommendations.engine.describe.items import with_vectors
from recommendations.engine.describe.text import count_texts
from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.split import truths
from recommendations.engine.preprocess.clean import clean
from recommendations.engine.preprocess.matrix import EventWeights, ItemAttributes, TrainingSnapshot, snapshot
from recommendations.engine.preprocess.terms import description, term_counts
from recommendations.engine.recommenders.hybrid import BlendPlan, FittedInstance, candidates
from recommendations.engine.recommenders.registry import INSTANCES
from recommendations.terms import BlendName, Task, Trust

NOW = datetime(2026, 9, 15, tzinfo=UTC)
DAY = 86_400.0
CUT = NOW.timestamp() / DAY - 28
K = 10
TASKS = {ARTICLES.name: Task.DISCOVER, VIDEO.name: Task.DISCOVER, MUSIC.name: Task.HOME}


def frame(shop: SyntheticShop) -> pd.DataFrame:
    rows = [row for row in shop.events if "item_id" in row]
    at = np.array([datetime.fromisoformat(row["timestamp"]).timestamp() / DAY for row in rows])
    none = np.full(len(rows), np.nan, np.float32)
    sessions = pd.factorize(pd.Series([row["session_id"] for row in rows]))[0].astype(np.int64)
    return pd.DataFrame(
        {
            "user": [int(row["user_id"][1:]) for row in rows],
            "item": [int(row["item_id"].partition("-")[2]) for row in rows],
            "name": pd.Categorical([row["name"] for row in rows]), "at": at, "basket": sessions,
            "quantity": none, "price": none, "amount": none,
            "rating": np.array([float(row.get("progress", "nan")) for row in rows], np.float32),
            "trust": np.full(len(rows), Trust.IMPORT, np.int8), "day": np.floor(at).astype(np.int32),
        }
    )  # fmt: skip


def attributes(shop: SyntheticShop) -> ItemAttributes:
    n = len(shop.items)
    names = [description(row["title"], paths=[row["categories"]], made=[row["creator"]]) for row in shop.items]
    tastes = sparse.csr_matrix((np.ones(n, np.float32), (np.arange(n), shop.taste_of_item)))
    return ItemAttributes(
        ids=np.arange(n), categories=tastes, terms=term_counts(names), price=np.full(n, np.nan, np.float32),
        listed_at=np.full(n, CUT - 100), texts=[f"{row['title']} {row['description']}" for row in shop.items],
    )  # fmt: skip


def learned(domain: Domain, shop: SyntheticShop) -> tuple[TrainingSnapshot, pd.DataFrame, EventWeights]:
    weights = EventWeights(points=domain.points, domain=domain)
    events, _report = clean(frame(shop), until=CUT + 28)
    about = attributes(shop)
    made = snapshot(events, about, cut=CUT, weights=weights)
    return with_vectors(made, texts=count_texts(about.texts), ids=about.ids), events, weights


@pytest.mark.parametrize("domain", [ARTICLES, MUSIC, VIDEO], ids=lambda domain: domain.name)
def test_a_preset_finds_planted_tastes_better_than_what_is_popular(domain: Domain) -> None:
    shop = synthetic_shop(domain, now=NOW, people=200, items=480)
    made, events, weights = learned(domain, shop)
    task = TASKS[domain.name]
    truth = truths(events, made, window=(CUT, CUT + 28), weights=weights)[task]
    blend = BlendName(task)
    plan = domain.weights[blend]
    popular = {f"popularity_{blend}": 1.0}
    fitted = [
        FittedInstance(name=one.name, recommender=one.under(domain.settings.get(one.name, {})).build().fit(
            made.training, seed=0), trend_exponent=0.0)
        for one in INSTANCES if one.name in {*plan, *popular}
    ]  # fmt: skip
    excluded = made.bought if task is Task.DISCOVER else None
    plans = {
        name: BlendPlan(weights=each, instances=tuple(each), excluded=excluded)
        for name, each in (("preset", plan), ("popular", popular))
    }
    records = candidates(fitted, made.training.queries(np.arange(made.training.n_users)), plans=plans)
    asked = truth.users
    lists = {name: records[name].of(asked).ranked(plans[name].weights, K) for name in plans}
    reached = {name: float(ndcg(judge(ranked, truth.per_user), K).mean()) for name, ranked in lists.items()}
    own = shop.taste_of_person[made.users.ids[asked]]
    suits = {
        name: float((shop.taste_of_item[made.items.ids[ranked]] == own[:, None]).mean())
        for name, ranked in lists.items()
    }
    assert reached["preset"] > 2 * reached["popular"]
    assert suits["preset"] > 0.7 > 0.15 > suits["popular"]
