"""What the alerts service decides: episodes of trouble, missed windows, acknowledgements."""
