"""The demo: a year of real purchases, the last days of which come in through the API as a shop would send them.

The app is installed where ``settings.DEMO`` says so; a shop of one's own has no table, page or command of it.
"""
