"""Calendar arithmetic: cron expressions, zones and the instants they mean. Pure."""
