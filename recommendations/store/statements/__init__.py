"""The statement of main parameters: what is live, as parameters, and the versions of what customers were told."""
