"""What a drawn item looks like: the pack it comes in, and a picture of what is in it."""
