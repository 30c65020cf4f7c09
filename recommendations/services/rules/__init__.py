"""Merchandising rules: written, checked, priced, published in books, rolled back."""
