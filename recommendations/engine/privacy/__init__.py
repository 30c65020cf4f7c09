"""What may be said to anybody of what people did."""
