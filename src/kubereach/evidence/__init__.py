"""Text and bytes to facts: cutting a paste into captures, recognising formats, reading them."""
