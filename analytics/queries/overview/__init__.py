"""What came in, what was answered, what came of it, and what somebody should look at."""
