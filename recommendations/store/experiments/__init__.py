"""People of experiments, and what came of them: settled from slates, summed from the record."""
