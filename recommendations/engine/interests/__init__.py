"""Who likes what, who is alike, what goes together: profiles, segments, association rules."""
