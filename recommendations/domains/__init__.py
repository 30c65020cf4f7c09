"""Domains: what differs between shops of goods, of articles, of music and of films, as data."""
