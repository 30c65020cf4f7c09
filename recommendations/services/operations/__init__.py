"""Running an installation: runs of the loop, housekeeping, readiness, metrics, customers, placements."""
