"""Examples of the bodies of subscriptions as they go over the wire, for ``/api/docs/``."""

from recommendations.api.examples import answer, request

_ENDPOINT, _AUTH = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn", "BTBZMqHH6r4Tts7J_aSIgg"
_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
KEY = answer(
    "The key",
    {"key": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"},
)
VISITOR = request(
    "A visitor's browser",
    {
        "endpoint": _ENDPOINT,
        "keys": {"p256dh": _POINT, "auth": _AUTH},
        "purposes": ["for_you", "reminders"],
        "anonymous_id": "visitor-1",
        "time_zone": "Europe/Paris",
    },
)
SUBSCRIBED, KNOWN = (
    answer(name, {"whose": "visitor", "verdict": "subscribed"}, code=code)
    for name, code in (("Subscribed", 201), ("Known already", 200))
)
LEAVING = request("The browser's own secret", {"endpoint": _ENDPOINT, "auth": _AUTH})
LEFT = answer("Nothing more is sent to it", {"verdict": "unsubscribed"})
