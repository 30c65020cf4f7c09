"""The push agent in the shop: what it knows when it decides, what it learns at night, and what staff let it do."""
