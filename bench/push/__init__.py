"""What campaigns cost: the plan of a sending, and mails a minute from due to taken."""
