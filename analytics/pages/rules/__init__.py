"""Merchandising rules: the list, the editor, the books."""
