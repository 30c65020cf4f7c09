"""Feeds as shops have them: each format is read row by row, its columns by the names that the table of synonyms has."""
