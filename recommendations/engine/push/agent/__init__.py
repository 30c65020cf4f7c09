"""The push agent: whether, what, by which channel and at what hour, learned by trial; pure, arrays in, arrays out."""
