"""Pages of the push agent: how far it may go, what it may vary, what it learned, and one person's decisions."""
