"""What happened at each placement hour by hour, for the watches."""
