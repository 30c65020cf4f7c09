"""Files of items, events and promotions: rows through temporary tables into the record."""
