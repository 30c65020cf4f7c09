"""Contacts: whom the shop may write to, and what for."""
