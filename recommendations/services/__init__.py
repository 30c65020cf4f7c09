"""Use cases of staff and of operation, one transaction each; their errors carry data."""
