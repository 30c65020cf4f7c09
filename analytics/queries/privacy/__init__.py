"""What the pages of privacy show: requests, receipts, holders and legal holds."""
