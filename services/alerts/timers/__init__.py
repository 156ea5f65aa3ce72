"""Work that time starts: windows that are missed, and notifications that are due."""
