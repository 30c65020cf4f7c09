"""What items are, from what the catalogue says of them: never from what anybody did."""
