"""The first page, and the lists of events and answers behind its figures."""
