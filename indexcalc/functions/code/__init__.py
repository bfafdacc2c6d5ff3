"""Functions of the table as source, in real Python: a module a target, and what all targets spell alike.

`text.py` reads them as text and never imports them: a function stands in generated code as it stands here, together
with those that it calls. It is a pure function of arrays of the target, of finite entries and of any batches; it keeps
the dtype, and has the values of `numpy` of its row and, where the target differentiates it, the derivatives of the
rule. Derivatives are those that a target finds by itself through the text; where these would not be the rule of the
row, the text gives them (`jax.custom_jvp`, `torch.autograd.Function`, in terms of functions that have their own, so for
every order; PyTorch's in reverse mode alone).

What stands in `numpy.py` and `shared.py` is also what the rows of the table compute with, one definition for both.
"""
