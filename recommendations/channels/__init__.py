"""Channels: ways to hand a message over. They know neither store nor models: a parcel goes in, an outcome comes out."""
