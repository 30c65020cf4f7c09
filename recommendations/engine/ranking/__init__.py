"""Ranking of a slate from scores: candidates, blend, eligibility, rules, diversity, second stage, reasons."""
