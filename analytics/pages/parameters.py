"""Reading the query parameters of an address; what makes no sense counts as absent."""

LARGEST = 2**63 - 1


def number(text: str | None) -> int | None:
    """A whole number that fits a database key."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST)):
        return None
    value = int(text)
    return value if value <= LARGEST else None
