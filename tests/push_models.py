"""Models of messages in use, made by hand for tests."""

from typing import Any

import numpy as np

from recommendations.engine.push import due, response
from recommendations.engine.push.logistic import Logistic
from recommendations.models import PushModel
from recommendations.push_terms import PushModelKind


def logistic(names: tuple[str, ...], *, intercept: float, **coefficients: float) -> dict[str, Any]:
    """Parameters of a model with a few coefficients; all others are 0."""
    size = len(names)
    model = Logistic(
        names=names, means=np.zeros(size), scales=np.ones(size), intercept=intercept,
        coefficients=np.array([coefficients.get(name, 0.0) for name in names]),
    )  # fmt: skip
    return model.parameters()


def use(kind: PushModelKind, parameters: dict[str, Any]) -> PushModel:
    return PushModel.objects.create(kind=kind, parameters=parameters, in_use=True)


def use_due(*, intercept: float, **coefficients: float) -> PushModel:
    return use(PushModelKind.DUE, logistic(due.FEATURES, intercept=intercept, **coefficients))


def use_response(*, source: str, base: float = 0.1, intercept: float = -2.0, **coefficients: float) -> PushModel:
    own = logistic(response.FEATURES, intercept=intercept, **coefficients)
    return use(PushModelKind.RESPONSE, {**own, "base": base, "source": source})
