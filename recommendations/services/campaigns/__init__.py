"""Campaigns before they are sent: their form, drafts, approval, presets, and what customers bear."""
