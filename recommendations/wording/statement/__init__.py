"""What customers are told that recommendations go by, in each language."""
