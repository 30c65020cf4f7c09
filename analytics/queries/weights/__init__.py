"""What stands on the sliders, what it does, and what was there before."""
