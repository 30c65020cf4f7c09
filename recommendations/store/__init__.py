"""Storage, the only place that sees querysets, SQL, Valkey or artefact files together with arrays and frames."""
