"""What to ask next, and what to change: each proved in the model before it is proposed."""
