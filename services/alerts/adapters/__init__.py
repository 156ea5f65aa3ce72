"""Conversations with mail servers and with the webhooks of users."""
