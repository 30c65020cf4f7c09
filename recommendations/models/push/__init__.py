"""Models of push: whom the shop may write to, what it means to send, and what was sent."""
