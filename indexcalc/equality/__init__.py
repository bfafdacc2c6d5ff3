"""Is one node another? By form, by exact arithmetic modulo a prime, by numbers that have met every branch."""
