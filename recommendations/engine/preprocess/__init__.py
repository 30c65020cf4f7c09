"""Events become matrices: cleaning, weighting, popularity, rhythms, the promotion plan."""
