"""Events of other systems: one table of their names, one file per system that reads its JSON as events of ours."""
