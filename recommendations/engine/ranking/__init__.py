"""From scores to a slate: candidates, blend, eligibility, rules, diversity, second stage, reasons."""
