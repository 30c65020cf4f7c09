"""Interest groups, and what is bought together."""
