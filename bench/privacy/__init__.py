"""Privacy on the demo's data: people who are erased under load, and what models tell of those who taught them."""
