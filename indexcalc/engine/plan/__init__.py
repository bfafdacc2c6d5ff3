"""The planner: from a graph whose sizes are known to a program of pairwise steps."""
