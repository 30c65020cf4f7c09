"""The storefront API: each view parses a request, makes one call and renders what came of it."""
