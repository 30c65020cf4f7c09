"""The reference of the API: the schema and the page made of it, with examples of the shop's own catalogue."""
