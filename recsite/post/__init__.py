"""The demo's post office: mails, browser notifications and webhooks become files, and none goes further."""
