"""The data loop and all that it needs: what comes in, what is learned, what is answered, and who steers it."""
