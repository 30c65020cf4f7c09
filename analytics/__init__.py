"""The dashboard: it measures and shows, and changes things through services only."""
