"""One file per recommender, all behind ``protocol.py``; ``registry.py`` lists the configured ones."""
