"""The commands, one module for each family; the catalogue says which is where."""
