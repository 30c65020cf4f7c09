"""Push: who gets which message when; functions of facts, a moment and a seed."""
