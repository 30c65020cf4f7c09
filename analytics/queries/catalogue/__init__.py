"""How whole the catalogue is, its items as a list, and one of them."""
