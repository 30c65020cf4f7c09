"""Pages of the shop: as a customer sees them, and which lists stand on them."""
