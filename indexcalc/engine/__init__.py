"""Numbers for a graph: a program is planned (`plan`), emitted (`emit`), bound (`bind`), called (`compile`)."""
