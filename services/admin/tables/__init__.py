"""What operators read and write, by what it is."""
