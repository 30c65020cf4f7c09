"""What people may ask for: all that is held about them, and its erasure, with a receipt."""
