"""What goes when it was kept long enough, and how."""
