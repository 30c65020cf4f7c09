"""Items that nobody has taken yet, ranked among themselves: ``python -m bench.cold_items``."""
