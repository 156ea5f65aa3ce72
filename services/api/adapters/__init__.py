"""Conversations with third parties: mail servers, Stripe."""
