"""How the demo names what it invented, and where its post office is; whoever runs it needs nothing else of the demo."""

INVENTED = "invented-"
"""Before the name of a browser that exists nowhere."""


def push_service(port: int) -> str:
    """The origin of the post office's push service."""
    return f"http://127.0.0.1:{port}"
