"""How figures, money, times and icons are written on a page."""
