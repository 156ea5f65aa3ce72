"""Ids and instants that the examples share, so that they tell one story."""

from __future__ import annotations

CUE = "cue_x7k9m2p4q8w1"
EXECUTION = "550e8400-e29b-41d4-a716-446655440000"
NEXT_EXECUTION = "660e8400-e29b-41d4-a716-446655440001"
ALERT = "3ab7c2d1-9f4e-4d12-9a35-7e8f1c4b6a82"
KEY = "6e8fc3a0-7a12-4f8a-b8b6-9c5e1d2a3b4c"
ACCOUNT = "0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11"
API_KEY = "cue_sk_" + "a1b2c3d4e5f6" * 2 + "a1b2c3d4"
SECRET = "0123456789abcdef" * 4
SESSION = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwYjlkM2MxZSJ9.c2lnbmF0dXJl"
WORKER = "my-macmini-worker"
EMAIL = "you@example.com"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NAME = "morning-briefing"
URL = "https://your-agent.com/webhook"
DUE = "2026-03-28T13:00:00Z"
PAYLOAD = {"task": "generate_briefing"}
PAGE = {"total": 1, "limit": 20, "offset": 0}
