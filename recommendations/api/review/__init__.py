"""Views of those who look after the shop: answers as they were served and made again, and experiments."""
