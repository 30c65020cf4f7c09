"""Review of an answer: what it is made of, why an item is in it or not, what staff think of it."""
