"""What is worked out of a model is held by the model itself, so that all of it goes when the model goes."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from recommendations.store.models.model import Model


def held_by_model[**P, T](make: Callable[Concatenate[Model, P], T]) -> Callable[Concatenate[Model, P], T]:
    """Have a function of a model, and of few hashable values, worked out once for each model."""

    @wraps(make)
    def held(model: Model, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = make, args, *sorted(kwargs.items())
        if key not in model.worked_out:
            model.worked_out[key] = make(model, *args, **kwargs)
        value: T = model.worked_out[key]
        return value

    return held
