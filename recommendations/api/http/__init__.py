"""How an answer is chosen its form, and what is said where there is nothing."""
