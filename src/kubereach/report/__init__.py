"""The diagnosis as people and programs read it: one neutral document, and one module per form."""
