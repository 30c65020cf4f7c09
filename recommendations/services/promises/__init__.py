"""New items: what is promised to them, how promises are kept, and what staff do about single ones."""
