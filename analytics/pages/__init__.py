"""Pages of the dashboard, one per address: filter → query → chart → template."""
