"""Browsers that customers let the shop notify: their subscriptions, and whose each is."""
