"""What codes are called in the reader's language: labels, reasons, rules."""
