"""Pure calculations of delivery: what is sent, what the answer means, when to try again."""
