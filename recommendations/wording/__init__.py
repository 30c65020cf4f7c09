"""Words for codes, in the reader's language: labels, reasons, rules, findings of the linter."""
