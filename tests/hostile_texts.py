"""Texts that somebody could type, or a catalogue could bring, to make a template, a header or a page do something."""

import random

EXPRESSIONS = (
    "{{ 913 * 17 }}", "{{913*17}}", "{% load i18n %}", "{% include 'push/frame.html' %}", "{# gone #}",
    "{{ mail.links.unsubscribe }}", "{{ settings.SECRET_KEY }}", "{{ ''.__class__.__mro__ }}",
    "{shop.__class__}", "{shop.__init__.__globals__}", "{shop!r}", "{0}", "{}", "{", "}", "{{", "}}", "{%",
    "%}", "{ shop }", "{SHOP}", "{count:>99999}", "{first_item[0]}", "${913*17}", "#{913*17}", "<%= 913*17 %>",
    "[[913*17]]", "%s", "%n%d%x", "%(shop)s", "%(title)s", "%99999999d", "\\x7b\\x7b",
    "&#123;&#123;913*17&#125;&#125;",
)  # fmt: skip
HEADERS = (
    "\r\nBcc: x@evil.example", "\nBcc: x@evil.example", "\rBcc: x@evil.example", "\n\n<b>body</b>",
    "\r\n\r\n.\r\nRSET\r\n", "\r\n.\r\n", "\n --b\nContent-Type: text/html", "\x0bBcc: x@evil.example",
    "\x0cBcc: x", "\x1cBcc: x", "\x1dBcc: x", "\x1eBcc: x", "\x85Bcc: x@evil.example",
    "\u2028Bcc: x@evil.example", "\u2029Bcc: x", "%0d%0aBcc: x", "\\r\\nBcc: x",
    "=?utf-8?q?a=0d=0aBcc:=20x@evil.example?=", "=?utf-8?b?YQ0KQmNjOiB4QGV2aWwuZXhhbXBsZQ==?=",
    "=?utf-8?q?=E2=80=AE?=", "=?iso-8859-1*en?Q?hidden?=", "=?utf-8?q?x?= =?utf-8?q?y?=", "=?", "?=",
    "Subject: other", "From x@evil.example", "x@evil.example, ", "<x@evil.example>", "\"", "\\", "(comment",
    ";,:@", "\u560d\u560aBcc: x",
)  # fmt: skip
CHARACTERS = (
    "\x00", "a\x00b", "\x01\x02\x08", "\x7f", "\x1b[31m", "\x9b31m", "\u202egnihtemos",
    "\u202a\u202b\u202c\u202d", "\u2066\u2067\u2068\u2069", "\u200e\u200f\u061c", "\u200b", "\u200c\u200d",
    "\u2060", "\ufeff", "\u00ad", "\u180e", "👨‍👩‍👧", "🇫🇷", "👍🏽", "e\u0301", "\u0336s\u0336",
    "Z\u0351\u036b\u0343\u036a" * 9, "\U000e0041\U000e0042", "ﬁ", "Ⅷ", "黑芝麻糊", "قهوة", "\ufffd",
    "\uffff", "x" * 900, "x" * 998, "x" * 1_400, "é" * 499, "黑" * 340, "👍" * 260, "word " * 300, "é " * 300,
    "\t" * 40, " " * 998 + "x",
)  # fmt: skip
MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title><h1>x",
    "</p></td></table><form action=//evil.example>", "<a href='https://evil.example'>x</a>", "<!-- ", "-->",
    "<![CDATA[x]]>", "<style>*{display:none}</style>", "<meta http-equiv=refresh>", "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)", "javascript:alert(1)", "&lt;script&gt;", "&amp;", "&#60;b&#62;", "<b>bold</b>",
    "<svg/onload=alert(1)>", "<iframe srcdoc='&lt;script&gt;'>", "`${alert(1)}`", "');alert(1)//",
    "=cmd|' /C calc'!A0", "<", ">", "&", "<plaintext>", "<textarea>", "<base href=//evil.example>",
    "</script><script>alert(1)</script>", "\u2028alert(1)",
)  # fmt: skip


def hostile_texts(number: int = 500) -> list[str]:
    """So many different texts: each by itself, then in the middle of others."""
    rng, every = random.Random(15), [*EXPRESSIONS, *HEADERS, *CHARACTERS, *MARKUP]
    texts = dict.fromkeys(every)
    while len(texts) < number:
        first, second = rng.sample(every, 2)
        texts.setdefault(rng.choice((f"Tea {first}", f"{first} tea", f"Tea{first}tea", f"{first}{second}")))
    return list(texts)[:number]
