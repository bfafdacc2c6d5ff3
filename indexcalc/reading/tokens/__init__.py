"""Text as tokens: what people type and paste, made into the tokens of one grammar."""
