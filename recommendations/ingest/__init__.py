"""Events and files in: each event once, each flawed row refused with its remedy."""
