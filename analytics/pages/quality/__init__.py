"""Quality of the recommendations, for whom, and staff's judgements of them."""
