"""Recommenders, hybrid, baselines and peers on one split: fit, choose, judge, report."""
