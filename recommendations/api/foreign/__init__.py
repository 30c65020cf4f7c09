"""What other systems send, taken as it is: the views, and what is said of them in the schema."""
