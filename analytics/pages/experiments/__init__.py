"""Experiments: the list, the editor of a draft, the page of one, and its steps."""
