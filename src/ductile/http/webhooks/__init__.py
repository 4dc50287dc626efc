"""Signed webhooks: `POST /webhooks/<name>`."""
