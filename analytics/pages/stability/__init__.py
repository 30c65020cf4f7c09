"""What moves in the shop, and whose doing it is."""
