"""Watches: rates hour by hour, what moves with each run, and alarms."""
