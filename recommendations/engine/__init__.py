"""Numbers: NumPy, SciPy, pandas and scikit-learn; no Django, no clock, no disk, no network."""
