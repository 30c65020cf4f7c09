"""Contacts: addresses sealed and found again by a keyed hash, the ledger of consent, addresses that stay silent."""
