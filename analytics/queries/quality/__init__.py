"""Figures of the test window, by recommender, customer and version; judgements of staff."""
