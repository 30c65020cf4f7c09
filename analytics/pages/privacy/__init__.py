"""Pages of privacy: what people asked for, the proof of what was done, and who holds anything about them."""
