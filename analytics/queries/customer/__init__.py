"""Customers as the live model sees them, and one of them."""
