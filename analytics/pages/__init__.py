"""What each address shows: filter → query → chart → template."""
