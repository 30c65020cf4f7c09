"""Interest groups, and association rules between items."""
