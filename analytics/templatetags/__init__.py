"""Template filters and tags for figures, money, times and icons."""
