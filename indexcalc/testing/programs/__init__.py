"""Random programs: what they are made of, how they are drawn, tried and made smaller. Read `trees.py` first."""
