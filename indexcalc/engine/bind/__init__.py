"""What meets a program from outside: inputs, what they were declared to be, constants, given functions, slices."""
