"""Recsite beside a shop on django-oscar: events, catalogue and orders out, slots in. docs/oscar.md says how."""
