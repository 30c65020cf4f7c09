"""Pages of campaigns: what they are, what they would do, what they did."""
