"""Health of the catalogue, its items as a list, and one of them."""
