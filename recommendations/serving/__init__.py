"""The way from a request to an answer. Read ``pipeline.py`` first; ``serve.py`` reads and writes around it."""
