"""The catalogue as staff and the shop's system change it: items, files, history, promotions, quality."""
