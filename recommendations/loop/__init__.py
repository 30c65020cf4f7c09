"""THE LOOP, one module per stage. Read ``run.py`` first."""
