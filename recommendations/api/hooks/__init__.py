"""What services outside tell us, each call proved by a signature of its own."""
