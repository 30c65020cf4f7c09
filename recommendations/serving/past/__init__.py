"""Past answers, made again of what they were made of, or of what holds now."""
