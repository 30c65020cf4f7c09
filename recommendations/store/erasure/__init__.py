"""Erasure of a person: who is meant, the moment from which nobody knows them, and the log beside the database."""
