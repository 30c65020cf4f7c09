"""The desk at which the hybrid is tuned."""
