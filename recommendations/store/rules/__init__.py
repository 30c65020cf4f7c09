"""Conditions of rules as queries of the catalogue, and rules in the form in which they are frozen."""
