"""Pages for the shop's customers: behind the links of its mails, without login, in the shop's name."""
