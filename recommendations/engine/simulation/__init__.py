"""Made customers whose truth is known, for benches and practice; nothing else of the engine imports it."""
