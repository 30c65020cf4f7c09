"""Audiences as staff describe them: the form, saving, counting."""
