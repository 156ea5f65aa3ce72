"""What comes in: results of attempts, the commands of workers, and test deliveries."""
