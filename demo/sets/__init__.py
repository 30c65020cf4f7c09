"""Published data sets, read from files that a user has: nothing of them is copied or passed on."""
