"""Is it any good, and for whom; and what staff think of it."""
