"""What stands on the pages of the push agent."""
