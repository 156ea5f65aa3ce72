"""Conversations with third parties: the users' webhooks."""
