"""Preprocessing of events into matrices: cleaning, weighting, popularity, rhythms, the promotion plan."""
