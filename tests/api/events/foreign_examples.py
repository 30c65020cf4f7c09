"""Bodies of other systems, of the shape that their public documents show; ``foreign/README.md`` says which."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "foreign"
THEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""The day on which all of the examples happen."""
_TIME = re.compile(r"2026-11-20T[0-9:]{8}(?P<rest>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?")
_SCALES = (1, 10**3, 10**6)  # of epochs: seconds, milli- and microseconds


def example(system: str, case: str, *, now: datetime) -> Any:
    """A body as it stands in its file, but that it happened within the two hours before ``now``."""
    return _moved(json.loads((FOLDER / f"{system}.json").read_text())[case], now - timedelta(hours=2) - THEN)


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {name: _moved(inner, by) for name, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, by) for inner in value]
    if isinstance(value, str) and (match := _TIME.fullmatch(value)):
        return _later(value, match, by)
    if isinstance(value, str) and value.isdigit():
        return str(_epoch(int(value), by))
    return _epoch(value, by) if type(value) in {int, float} else value


def _later(text: str, match: re.Match[str], by: timedelta) -> str:
    """A time in the spelling that it had: the same fraction, the same zone or none."""
    zone = match["zone"] or ""
    moment = datetime.fromisoformat(text[:19] + zone) + by
    return f"{moment:%Y-%m-%dT%H:%M:%S}{match['rest'] or ''}{zone}"


def _epoch[Number: (int, float)](number: Number, by: timedelta) -> Number:
    for scale in _SCALES:
        if 0 <= number - THEN.timestamp() * scale < 86_400 * scale:
            return number + int(by.total_seconds() * scale)
    return number
