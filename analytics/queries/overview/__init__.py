"""Events that came in, answers, what came of them, and alerts."""
