"""What a customer says they like, in the lists that are made while little else is known of them."""
