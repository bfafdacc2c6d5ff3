"""Numbers for a graph: a program is planned (`plan`), emitted as code (`emit`), bound to inputs (`bind`), called (`compile`)."""
