"""Rules in their order and in words, and what a change of them does."""
