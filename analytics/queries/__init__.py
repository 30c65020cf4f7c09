"""Queries of each page: rows of models and records of services, and records of our own where a page joins several."""
