"""Push: facts of many customers as arrays, the outbox of messages, and what came of them."""
