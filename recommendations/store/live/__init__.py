"""State in Valkey: what customers did lately, marks of change, counters, queues."""
