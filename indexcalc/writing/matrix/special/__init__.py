"""Matrix forms of tensors of more axes, convolutions, running sums and arrays made of parts."""
