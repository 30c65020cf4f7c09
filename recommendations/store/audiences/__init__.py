"""Audiences as queries of the record: who meets the conditions, and members that are kept by what has changed."""
