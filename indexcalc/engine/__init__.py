"""Numbers for a graph: a program is planned (`plan`), emitted (`emit`), bound to inputs (`bind`), called (`compile`)."""
