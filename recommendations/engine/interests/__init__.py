"""Interest profiles, segments and association rules: who likes what, who is alike, what goes together."""
