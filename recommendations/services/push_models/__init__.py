"""What is learned of messages, as decisions use it."""
