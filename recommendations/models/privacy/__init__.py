"""Models of privacy: what people asked for, the proof of what was done, and the ids that were erased."""
