"""Checks by form and by numbers: of a formula somebody derived (`check`), of a derivative (`verify`)."""
