"""Views about one customer: the interests, a proof of who it is, two ids that are one person."""
