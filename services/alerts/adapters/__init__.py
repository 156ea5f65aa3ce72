"""Conversations with the webhooks of users."""
