"""A little shop, as a shop's engineer would write it: it knows Recsite by its API alone."""
