"""Files of one's own under one numbering: acts, truths, items."""
