"""Crawlers that say who they are: search engines, monitors, previews. They run a page's scripts and buy nothing.

A name can be invented, so it protects from nobody who means harm; it keeps honest machines out of what people do.
Libraries and automated browsers are not taken for crawlers: apps and a shop's own tests send their names.
"""

import re
from functools import cache, lru_cache

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

LONGEST = 512  # characters of a name that are looked at
REMEMBERED = 4_096  # names; one that was not seen before takes a tenth of a millisecond
OTHERS = {"http-library", "browser-automation"}
_PART = 25  # patterns of one expression: the fastest, as the package found


@lru_cache(REMEMBERED)
def is_crawler(user_agent: str) -> bool:
    """Whether the name of a client, as its User-Agent header has it, is that of a known crawler."""
    return any(pattern.search(user_agent[:LONGEST]) for pattern in _patterns())


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Patterns of the names, some in each; compiled at the first question, as that takes a while."""
    known = [one["pattern"] for one in CRAWLER_USER_AGENTS_DATA if not OTHERS & set(one["tags"])]
    return tuple(re.compile("|".join(known[first : first + _PART])) for first in range(0, len(known), _PART))
