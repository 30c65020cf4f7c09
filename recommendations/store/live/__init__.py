"""State in Valkey: what happened since the live model was made, marks of change, counters, queues."""
