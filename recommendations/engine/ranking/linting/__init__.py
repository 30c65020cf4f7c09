"""What is wrong with a book of rules, as sets of items and of requests."""
