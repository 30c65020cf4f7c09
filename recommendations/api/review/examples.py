"""Examples of past answers, of experiments and of the push agent, for ``/api/docs/``."""

from recommendations.api.examples import answer, request

_RESULTS = [
    {"item_id": "SKU9", "rank": 1, "score": 0.74, "propensity": 0.93, "place": 1},
    {"item_id": "SKU4", "rank": 2, "score": 0.71, "propensity": 0.93, "place": 2},
]
PAST_ANSWER = answer(
    "As served",
    {
        "recommendation_id": "r-01JD3Z5K8W",
        "served_at": "2026-11-20T10:02:11Z",
        "placement": "home",
        "model_version": "m12",
        "weights_version": 17,
        "rules_version": 5,
        "experiments": [{"experiment_id": "e7", "variation_id": "b"}],
        "personalised": True,
        "source": "model",
        "fallback_reason": None,
        "way": "as_ranked",
        "results": _RESULTS,
    },
)
ANSWER_AGAIN_REQUESTS = (
    request("As it was", {}),
    request("Under other weights", {"instead": {"weights": 1}}),
)
ANSWER_AGAIN = answer(
    "As it was",
    {
        "recommendation_id": "r-01JD3Z5K8W",
        "sameness": "exact",
        "results": _RESULTS,
        "differences": [],
        "missing": [],
    },
)
_EXPERIMENT = {
    "experiment_id": "e7",
    "name": "More of what is new",
    "hypothesis": "People who know the shop look for what they have not seen.",
    "kind": "ab",
    "status": "running",
    "placements": ["home"],
    "primary": "revenue",
    "planned_days": 28,
    "traffic": 1.0,
    "started_at": "2026-11-04T09:00:00Z",
    "ended_at": None,
    "decision": {
        "code": "ship",
        "text": "Ship B: +3.1% revenue per visitor, at least +0.4%",
        "at": "2026-11-20T10:05:00Z",
    },
}
EXPERIMENTS = answer("One is running", {"experiments": [_EXPERIMENT]})
EXPERIMENT = answer(
    "Revenue and refunds",
    {
        **_EXPERIMENT,
        "arms": [
            {
                "variation_id": letter, "name": "", "share": 0.5, "changes": {"weights": {"home": number}},
                "people": people, "published": False,
            }
            for letter, number, people in (("a", 12, 20113), ("b", 13, 20087))
        ],
        "read_at": "2026-11-20T10:05:00Z",
        "results": [
            {
                "metric": "revenue", "group": "primary", "variation_id": "b", "control": 4.11,
                "change": 0.031, "low": 0.004, "high": 0.058, "p": 0.012,
            },
            {
                "metric": "refunds", "group": "guardrail", "variation_id": "b", "control": 0.021,
                "change": 0.004, "low": -0.061, "high": 0.069, "p": 1.0,
            },
        ],
    },
)  # fmt: skip
_AGENT = {
    "status": "acts",
    "since": "2026-11-20T09:00:00Z",
    "rules": 4,
    "shares": {"agent": 0.405, "rule": 0.495, "held_out": 0.1},
    "night": "2026-11-28",
    "learned_at": "2026-11-29T03:10:00Z",
    "answers": 1570,
    "decisions": 48211,
    "refusal": None,
    "learned": [{"term": "channel_browses:web_push", "times": 1.4, "low": 1.1, "high": 1.7, "answers": 431}],
}
AGENTS = answer("It acts", {"agents": [_AGENT]})
AGENT_PAUSE = request("For the stocktaking", {"reason": "Stocktaking until Monday"})
AGENT_PAUSED = answer("It is paused", {"status": "paused", "was": "acts", "since": "2026-11-29T10:02:11Z"})
