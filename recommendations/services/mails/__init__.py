"""Mails to customers: how one looks, how it becomes bytes, and the line on which it leaves."""
