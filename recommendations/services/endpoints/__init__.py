"""Webhooks: systems of the shop that messages go to."""
