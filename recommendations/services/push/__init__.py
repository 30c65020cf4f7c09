"""Push: campaigns as staff write them, who gets what and why not, and messages on their way."""
