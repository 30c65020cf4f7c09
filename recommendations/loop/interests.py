"""Stage 3: interest profiles, segments and association rules; shown on the dashboard and used in rules."""

from collections.abc import Mapping

import numpy as np

from recommendations.engine.frames import IntArray, TrainingSet
from recommendations.engine.interests import association, segment
from recommendations.engine.interests.behaviour import behaviour
from recommendations.engine.interests.drift import Grouping, drift, moves
from recommendations.engine.interests.main_interests import main_interests
from recommendations.engine.interests.profile import HALF_LIVES
from recommendations.engine.interests.projection import project
from recommendations.engine.preprocess.weighting import act_weights
from recommendations.loop.context import RunContext
from recommendations.loop.feedback import measure_feedback
from recommendations.store.models import interests, model, segments
from recommendations.store.models.main_interests import save_main_interests
from recommendations.terms import Cut

SEGMENTS = 16
DIMENSIONS = 20
FEWEST_BASKETS = 20
MOST_RULES = 20_000


def learn_interests(context: RunContext) -> Mapping[str, object]:
    """Learn profiles, segments with their lasting numbers, and significant association rules of the live cut."""
    snapshot, _categories = model.load_snapshot(context.version.pk, Cut.LIVE)
    training = snapshot.training
    interests.forget(context.version)
    for half_life in HALF_LIVES:
        save_main_interests(context.version, main_interests(snapshot, half_life=half_life), half_life=half_life)
    context.report(0.4, text=f"interest profiles of {len(snapshot.users):,} customers")
    agreement, sizes = _segments(context, training)
    context.report(0.6, text=f"{len(sizes)} segments, the largest of {int(sizes.max(initial=0)):,}")
    rules = _rules(training)
    interests.save_rules(context.version, items=snapshot.items, pairs=rules, most=MOST_RULES)
    kept = min(len(rules), MOST_RULES)
    context.report(0.9, text=f"{len(rules):,} association rules, of which {kept:,} are kept")
    looked = measure_feedback(context)
    return {"profiles": len(snapshot.users), "segments": len(sizes), "agreement": agreement, "rules": kept, **looked}


def _segments(context: RunContext, training: TrainingSet) -> tuple[float | None, IntArray]:
    """Learn and store the segments: adjusted Rand index against the last run (None for the first), and the sizes."""
    snapshot, categories = model.load_snapshot(context.version.pk, Cut.LIVE)
    weights = act_weights(training.teaching, half_life=HALF_LIVES[0])
    previous = interests.previous_segments(context.version, columns=categories)
    before = previous.rows_of(snapshot.users)
    segmentation, membership = segment.find_segments(
        weights, training.catalogue.categories, n_segments=SEGMENTS, dimensions=DIMENSIONS, seed=context.run.seed,
        before=before,
    )  # fmt: skip
    numbers = previous.numbers_after(
        segment.forerunners(membership, before, n_now=len(segmentation.sizes), n_before=len(previous.numbers))
    )
    lasting = np.append(numbers, -1)[membership].astype(np.int32)  # −1, of nobody's segment, is the last one
    overall = segment.mean_interests(segmentation)
    interests.save_segments(
        context.version, categories=categories, numbers=numbers,
        membership=lasting, shares=segmentation.interests, top=segment.top_categories(segmentation.interests, overall),
    )  # fmt: skip
    model.save_segments(context.version, Cut.LIVE, lasting)
    like = None if previous.version is None else segments.centres_before(previous.version, numbers)
    common, common_before = previous.common(snapshot.users, lasting)
    segments.save_picture(
        context.version,
        projection=project(segmentation, weights, training.catalogue.categories, like=like),
        behaviour=behaviour(training.interactions, membership, len(segmentation.sizes)),
        drift=drift(
            Grouping(numbers=numbers, interests=segmentation.interests, sizes=segmentation.sizes, members=common),
            Grouping(
                numbers=previous.numbers, interests=previous.interests, sizes=previous.sizes, members=common_before
            ),
        ),
        moves=moves(common, common_before),
        overall=overall,
    )
    return previous.agreement(snapshot.users, lasting), segmentation.sizes


def _rules(training: TrainingSet) -> association.Pairs:
    held = association.affordable(association.baskets(training.teaching))
    least = max(3, min(FEWEST_BASKETS, held.content.shape[0] // 100))
    rules = association.significant(association.pairs(held.content, min_together=least))
    return rules.where(association.many_carry(held, rules))
