"""Privacy: people who are erased, how soon and how wholly they are gone, and what models tell of their teachers."""
