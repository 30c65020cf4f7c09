"""The catalogue: its health, its items, and one of them."""
