"""Customers: the list, and one of them with all that is recommended to them and why."""
