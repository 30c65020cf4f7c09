"""Work in parts, on whatever machines there are: orders, the storage that they read and write, and the engines.

Nothing here knows of Django or PostgreSQL: a machine of a cluster has these modules and the engine alone.
"""
