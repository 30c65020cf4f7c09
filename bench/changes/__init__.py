"""Planted changes: of rates, of lists, and of what people want; each knows what is to be seen."""
