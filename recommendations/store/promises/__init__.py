"""New items of placements: what was shown of them, and what answers are offered now."""
