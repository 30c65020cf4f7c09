"""Experiments as the pages show them: the list, what arms change in words, what a draft can choose from."""
