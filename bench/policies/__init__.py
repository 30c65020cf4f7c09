"""Off-policy estimates and exploration, on made choices: ``make bench-off-policy``."""
