"""What people may ask of the shop: all that is held about them, and its erasure."""
