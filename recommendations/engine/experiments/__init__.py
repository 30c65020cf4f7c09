"""Experiments and bandits: who gets which arm, always-valid intervals, plans, verdicts and daily shares."""
