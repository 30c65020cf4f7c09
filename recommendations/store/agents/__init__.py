"""What the push agent sees, writes down, learns from and is measured by."""
