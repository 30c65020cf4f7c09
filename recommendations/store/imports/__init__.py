"""Imports of item, event and promotion files: rows through temporary tables into the record."""
