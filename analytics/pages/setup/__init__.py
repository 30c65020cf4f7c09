"""What admins set up: placements and API keys."""
