"""The surface, as type checkers and editors see it: made by `python tests/stubs.py`."""

from collections.abc import Sequence
from typing import Any, overload

from indexcalc.checking.check import check as check
from indexcalc.checking.verify import verify as verify
from indexcalc.engine.compile.backends import compile_expressions as compile
from indexcalc.engine.compile.source import to_source as to_source
from indexcalc.engine.compressed.compressed import compressed as compressed
from indexcalc.engine.emit.workspace import free_workspace as free_workspace
from indexcalc.engine.preflight import preflight as preflight
from indexcalc.errors import DerivativeError as DerivativeError
from indexcalc.errors import DimensionError as DimensionError
from indexcalc.errors import IndexCalcError as IndexCalcError
from indexcalc.errors import InputError as InputError
from indexcalc.errors import KindError as KindError
from indexcalc.errors import LayoutError as LayoutError
from indexcalc.errors import NameRefused as NameRefused
from indexcalc.errors import NoRuleError as NoRuleError
from indexcalc.errors import NotationError as NotationError
from indexcalc.errors import ParseError as ParseError
from indexcalc.errors import RangeError as RangeError
from indexcalc.explaining.derivation import explain as explain
from indexcalc.index import Index as Index
from indexcalc.index import index as index
from indexcalc.index import indices as indices
from indexcalc.interop.axes import rearrange as rearrange
from indexcalc.interop.axes import reduce as reduce
from indexcalc.interop.axes import repeat as repeat
from indexcalc.interop.optimizers import minimize_args as minimize_args
from indexcalc.interop.read_sympy import from_sympy as from_sympy
from indexcalc.progress import show_progress as show_progress
from indexcalc.reading.reader import parse as parse
from indexcalc.views.affine.convolutions import convolve as convolve
from indexcalc.views.affine.convolutions import correlate as correlate
from indexcalc.views.affine.uses import index_range as range
from indexcalc.views.array import Array as Array
from indexcalc.views.blocks.joined import block as block
from indexcalc.views.blocks.joined import tile as tile
from indexcalc.views.blocks.moved import split as split
from indexcalc.views.declare import column as column
from indexcalc.views.declare import define as define
from indexcalc.views.declare import delta as delta
from indexcalc.views.declare import einsum_array as einsum
from indexcalc.views.declare import epsilon as epsilon
from indexcalc.views.declare import eye as eye
from indexcalc.views.declare import hadamard as hadamard
from indexcalc.views.declare import ones as ones
from indexcalc.views.declare import row as row
from indexcalc.views.declare import scalar as scalar
from indexcalc.views.declare import tensor as tensor
from indexcalc.views.declare import zeros as zeros
from indexcalc.views.derivatives.differentiate import derivative as derivative
from indexcalc.views.derivatives.differentiate import diff as diff
from indexcalc.views.derivatives.differentiate import differential as differential
from indexcalc.views.derivatives.differentiate import grad as grad
from indexcalc.views.derivatives.differentiate import hessian as hessian
from indexcalc.views.derivatives.differentiate import hvp as hvp
from indexcalc.views.derivatives.differentiate import jvp as jvp
from indexcalc.views.derivatives.differentiate import vjp as vjp
from indexcalc.views.expr import Expr as Expr
from indexcalc.views.functions.abstract import function as function
from indexcalc.views.functions.composed import cov as cov
from indexcalc.views.functions.composed import one_hot as one_hot
from indexcalc.views.functions.composed import take as take
from indexcalc.views.functions.composed import take_along_axis as take_along_axis
from indexcalc.views.functions.constants import commutation as commutation
from indexcalc.views.functions.constants import duplication as duplication
from indexcalc.views.functions.constants import elimination as elimination
from indexcalc.views.functions.constants import unit as unit
from indexcalc.views.functions.constants import voigt as voigt
from indexcalc.views.functions.decompositions import eigh as eigh
from indexcalc.views.functions.decompositions import svd as svd
from indexcalc.views.functions.matrices import adj as adj
from indexcalc.views.functions.matrices import cofactor as cofactor
from indexcalc.views.functions.matrices import det as det
from indexcalc.views.functions.matrices import diag as diag
from indexcalc.views.functions.matrices import diagm as diagm
from indexcalc.views.functions.matrices import inv as inv
from indexcalc.views.functions.matrices import logdet as logdet
from indexcalc.views.functions.matrices import matrix_power as matrix_power
from indexcalc.views.functions.matrices import pinv as pinv
from indexcalc.views.functions.matrices import solve as solve
from indexcalc.views.functions.matrices import sym as sym
from indexcalc.views.functions.matrices import tr as tr
from indexcalc.views.functions.matrices import tril as tril
from indexcalc.views.functions.matrices import triu as triu
from indexcalc.views.functions.matrices import unvec as unvec
from indexcalc.views.functions.matrices import vec as vec
from indexcalc.views.functions.matrices import vech as vech
from indexcalc.views.functions.products import cross as cross
from indexcalc.views.functions.products import khatri_rao as khatri_rao
from indexcalc.views.functions.products import kron as kron
from indexcalc.views.functions.products import outer as outer
from indexcalc.views.functions.products import unfold as unfold
from indexcalc.views.view import PlainNumber

__version__: str
pi: Array

@overload
def abs(x: Array, /) -> Array: ...
@overload
def abs(x: Expr, /) -> Expr: ...
@overload
def abs(x: PlainNumber, /) -> Expr:
    """x where x > 0, -x elsewhere.

    Domain: all real numbers.

    Where no derivative exists: the derivative at 0 is given as 0.

    Source: definition.
    """

@overload
def acos(x: Array, /) -> Array: ...
@overload
def acos(x: Expr, /) -> Expr: ...
@overload
def acos(x: PlainNumber, /) -> Expr:
    """The y in [0, pi] with cos(y) = x.

    Domain: -1 < x < 1; complex x off the rest of the real axis.

    Source: DLMF 4.24(ii).
    """

@overload
def acosh(x: Array, /) -> Array: ...
@overload
def acosh(x: Expr, /) -> Expr: ...
@overload
def acosh(x: PlainNumber, /) -> Expr:
    """The y >= 0 with cosh(y) = x.

    Domain: x > 1; complex x off the real axis below 1.

    Source: DLMF 4.40(ii).
    """

@overload
def argsort(x: Array, *axes: int, axis: int | Sequence[int] | None = None) -> Array: ...
@overload
def argsort(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """y_a = the place of the a-th smallest x_b.

    Along 1 axis: the last of an Array, the free indices of an Expr, or those named.

    Domain: all real numbers.

    Where no derivative exists: jumps where entries tie, which keep their order; the derivative is 0 elsewhere,
    and is given as 0 there.

    Source: definition.
    """

@overload
def asin(x: Array, /) -> Array: ...
@overload
def asin(x: Expr, /) -> Expr: ...
@overload
def asin(x: PlainNumber, /) -> Expr:
    """The y in [-pi/2, pi/2] with sin(y) = x.

    Domain: -1 < x < 1; complex x off the rest of the real axis.

    Source: DLMF 4.24(ii).
    """

@overload
def asinh(x: Array, /) -> Array: ...
@overload
def asinh(x: Expr, /) -> Expr: ...
@overload
def asinh(x: PlainNumber, /) -> Expr:
    """The y with sinh(y) = x.

    Domain: all real numbers; complex x off the imaginary axis beyond i and -i.

    Source: DLMF 4.40(ii).
    """

@overload
def atan(x: Array, /) -> Array: ...
@overload
def atan(x: Expr, /) -> Expr: ...
@overload
def atan(x: PlainNumber, /) -> Expr:
    """The y in (-pi/2, pi/2) with tan(y) = x.

    Domain: all real numbers; complex x off the imaginary axis beyond i and -i.

    Source: DLMF 4.24(ii).
    """

@overload
def atan2(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def atan2(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def atan2(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def atan2(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def atan2(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """The angle t in [-pi, pi] with cos(t) : sin(t) = y : x.

    Domain: all real numbers, not both 0.

    Where no derivative exists: jumps by 2*pi where x = 0 and y < 0; the derivatives are those of both sides, nan
    where both are 0.

    Source: DLMF 4.23(iv), by the chain rule.
    """

@overload
def atanh(x: Array, /) -> Array: ...
@overload
def atanh(x: Expr, /) -> Expr: ...
@overload
def atanh(x: PlainNumber, /) -> Expr:
    """log((1 + x)/(1 - x))/2.

    Domain: -1 < x < 1; complex x off the rest of the real axis.

    Source: DLMF 4.40(ii).
    """

def cholesky(X: Array) -> Array:
    """The lower triangular L with L L^T = S and a positive diagonal, along the last two axes; the axes before are
    batches.

    Domain: symmetric positive definite matrices; the symmetric part (S + S^T)/2 is taken.

    Source: M. Giles, Collected matrix derivative results for forward and reverse mode, 2008, section 3.3.
    """

@overload
def clip(x: Expr, min: Any = None, max: Any = None) -> Expr: ...
@overload
def clip(x: Array, min: Any = None, max: Any = None) -> Array:
    """The entries, none below `min` and none above `max`: `minimum(maximum(x, min), max)`, as NumPy has it.

    At a bound the derivative is 1/2, as for those two.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.clip(x, 0, 1)
    minimum(maximum(x, 0), 1)
    >>> ic.clip(x, max=1)
    minimum(x, 1)
    """

@overload
def concatenate(arrays: Expr, axis: Any = 0) -> Expr: ...
@overload
def concatenate(arrays: Array, axis: Any = 0) -> Array:
    """The arrays beside each other along an axis that they have, as NumPy has it; of Exprs `axis` is their index.

    Its derivative by a part is the slice that the part takes. With `axis=None` all entries in one vector.

    >>> import indexcalc as ic
    >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "m")
    >>> z = ic.concatenate([x, y]); z, z.shape
    (concatenate([x, y]), (m + n,))
    >>> ic.grad((z**3).sum(), y)
    3*y**2
    """

@overload
def cos(x: Array, /) -> Array: ...
@overload
def cos(x: Expr, /) -> Expr: ...
@overload
def cos(x: PlainNumber, /) -> Expr:
    """(exp(i*x) + exp(-i*x))/2.

    Domain: all real numbers.

    Source: DLMF 4.20.
    """

@overload
def cosh(x: Array, /) -> Array: ...
@overload
def cosh(x: Expr, /) -> Expr: ...
@overload
def cosh(x: PlainNumber, /) -> Expr:
    """(exp(x) + exp(-x))/2.

    Domain: all real numbers.

    Source: DLMF 4.34.
    """

def cosm(X: Array) -> Array:
    """The cosine of a matrix, along the last two axes; the axes before are batches.

    Domain: all square matrices.

    Source: N. Higham, Functions of Matrices, chapter 12.
    """

@overload
def cumprod(x: Expr, *args: Any, axis: Any = None) -> Expr: ...
@overload
def cumprod(x: Array, *args: Any, axis: Any = None) -> Array:
    """The products of the entries up to each one along an axis, as NumPy has it: y_k = x_0 ... x_k.

    Axes are named as those of `cumsum`. The derivative of y_k by x_j, j <= k, is the product of the others up to
    k: it
    holds where entries are 0.

    >>> import indexcalc as ic
    >>> ic.cumprod(ic.tensor("x", "n")).evaluate(x=[2, 0, 3])
    array([2., 0., 0.])
    """

@overload
def cumsum(x: Expr, *args: Any, axis: Any = None) -> Expr: ...
@overload
def cumsum(x: Array, *args: Any, axis: Any = None) -> Array:
    """The sums of the entries up to each one along an axis, as NumPy has it: y_k = x_0 + ... + x_k.

    The axis of an Array is a number, that of an Expr an index, which need not be named where there is one;
    without an
    axis the entries of an Array are taken row by row.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.cumsum(x), ic.cumsum(x) == ic.tril(ic.ones("n", "n")) @ x
    (cumsum(x), True)
    >>> ic.cumsum(x).evaluate(x=[1, 2, 3])
    array([1., 3., 6.])
    """

@overload
def digamma(x: Array, /) -> Array: ...
@overload
def digamma(x: Expr, /) -> Expr: ...
@overload
def digamma(x: PlainNumber, /) -> Expr:
    """d/dx log Gamma(x).

    Domain: all real numbers but 0, -1, -2, ....

    Source: DLMF 5.15 (Abramowitz-Stegun 6.4.1).
    """

def eigvalsh(X: Array) -> Array:
    """The eigenvalues of a symmetric matrix, ascending, along the last two axes; the axes before are batches.

    Domain: real matrices, of which the symmetric part (A + A^T)/2 is taken.

    Where no derivative exists: at equal eigenvalues they have directional derivatives alone; the diagonal of V^T
    dA V comes out.

    Source: J. Magnus, H. Neudecker, Matrix Differential Calculus, chapter 9, section 8.
    """

@overload
def elu(x: Expr, alpha: Any = 1) -> Expr: ...
@overload
def elu(x: Array, alpha: Any = 1) -> Array:
    """X where it is positive, `alpha*(exp(x) - 1)` elsewhere; at 0 the slope is alpha.

    Source: D. Clevert, T. Unterthiner, S. Hochreiter, arXiv:1511.07289.

    >>> import indexcalc as ic
    >>> ic.elu(ic.tensor("x", "n"))
    where(x > 0, x, expm1(x))
    """

@overload
def entr(x: Array, /) -> Array: ...
@overload
def entr(x: Expr, /) -> Expr: ...
@overload
def entr(x: PlainNumber, /) -> Expr:
    """-x*log(x), 0 at 0.

    Domain: x > 0, and 0; -inf below.

    Source: definition, by the product rule.
    """

@overload
def equal(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def equal(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def equal(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def equal(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def equal(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """1 where x = y, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def erf(x: Array, /) -> Array: ...
@overload
def erf(x: Expr, /) -> Expr: ...
@overload
def erf(x: PlainNumber, /) -> Expr:
    """2/sqrt(pi) * integral of exp(-t**2) from 0 to x.

    Domain: all real numbers.

    Source: DLMF 7.10.1.
    """

@overload
def erfc(x: Array, /) -> Array: ...
@overload
def erfc(x: Expr, /) -> Expr: ...
@overload
def erfc(x: PlainNumber, /) -> Expr:
    """1 - erf(x).

    Domain: all real numbers.

    Source: DLMF 7.2.2, 7.10.1.
    """

@overload
def exp(x: Array, /) -> Array: ...
@overload
def exp(x: Expr, /) -> Expr: ...
@overload
def exp(x: PlainNumber, /) -> Expr:
    """Sum over n of x**n/n!.

    Domain: all real numbers.

    Source: DLMF 4.7(ii).
    """

@overload
def expand(expr: Expr) -> Expr: ...
@overload
def expand(expr: Array) -> Array:
    """The form of an expression with products of sums multiplied out, simplified."""

def expm(X: Array) -> Array:
    """The exponential of a matrix, sum of X^k/k!, along the last two axes; the axes before are batches.

    Domain: all square matrices.

    Source: N. Higham, Functions of Matrices, chapter 10.
    """

@overload
def expm1(x: Array, /) -> Array: ...
@overload
def expm1(x: Expr, /) -> Expr: ...
@overload
def expm1(x: PlainNumber, /) -> Expr:
    """exp(x) - 1.

    Domain: all real numbers.

    Source: DLMF 4.7(ii).
    """

@overload
def gammaln(x: Array, /) -> Array: ...
@overload
def gammaln(x: Expr, /) -> Expr: ...
@overload
def gammaln(x: PlainNumber, /) -> Expr:
    """log|Gamma(x)|.

    Domain: all real numbers but 0, -1, -2, ....

    Source: DLMF 5.2.2 (Abramowitz-Stegun 6.3.1).
    """

@overload
def gelu(x: Array, /) -> Array: ...
@overload
def gelu(x: Expr, /) -> Expr: ...
@overload
def gelu(x: PlainNumber, /) -> Expr:
    """x*Phi(x), Phi the normal distribution function.

    Domain: all real numbers.

    Source: D. Hendrycks, K. Gimpel, arXiv:1606.08415, by the product rule.
    """

@overload
def greater(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def greater(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def greater(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def greater(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def greater(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """1 where x > y, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def greater_equal(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def greater_equal(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def greater_equal(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def greater_equal(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def greater_equal(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """1 where x >= y, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def hard_tanh(x: Expr) -> Expr: ...
@overload
def hard_tanh(x: Array) -> Array:
    """The entries, none below -1 and none above 1: `clip(x, -1, 1)`.

    >>> import indexcalc as ic
    >>> ic.hard_tanh(ic.tensor("x", "n"))
    minimum(maximum(x, -1), 1)
    """

@overload
def leaky_relu(x: Expr, negative_slope: Any = 0.01) -> Expr: ...
@overload
def leaky_relu(x: Array, negative_slope: Any = 0.01) -> Array:
    """X where it is positive, `negative_slope*x` elsewhere; at 0 the slope is that of the left side.

    Source: A. Maas, A. Hannun, A. Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013.

    >>> import indexcalc as ic
    >>> ic.leaky_relu(ic.tensor("x", "n"), 0.2)
    where(x > 0, x, 0.2*x)
    """

@overload
def less(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def less(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def less(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def less(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def less(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """1 where x < y, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def less_equal(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def less_equal(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def less_equal(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def less_equal(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def less_equal(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """1 where x <= y, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def log(x: Array, /) -> Array: ...
@overload
def log(x: Expr, /) -> Expr: ...
@overload
def log(x: PlainNumber, /) -> Expr:
    """Integral of 1/t from 1 to x.

    Domain: x > 0; complex x off the negative real axis.

    Source: DLMF 4.7(i).
    """

@overload
def log1p(x: Array, /) -> Array: ...
@overload
def log1p(x: Expr, /) -> Expr: ...
@overload
def log1p(x: PlainNumber, /) -> Expr:
    """log(1 + x).

    Domain: x > -1; complex 1 + x off the negative real axis.

    Source: DLMF 4.7(i).
    """

@overload
def log_ndtr(x: Array, /) -> Array: ...
@overload
def log_ndtr(x: Expr, /) -> Expr: ...
@overload
def log_ndtr(x: PlainNumber, /) -> Expr:
    """log(Phi(x)), Phi the normal distribution function.

    Domain: all real numbers.

    Source: DLMF 7.2.2, by the chain rule.
    """

@overload
def log_softmax(x: Array, *axes: int, axis: int | Sequence[int] | None = None) -> Array: ...
@overload
def log_softmax(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """y_a = x_a - log(sum of exp(x_b)).

    Domain: all real numbers.

    Source: the rule of logsumexp: S. Boyd, L. Vandenberghe, Convex Optimization, section 3.1.5.
    """

@overload
def logaddexp(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def logaddexp(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def logaddexp(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def logaddexp(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def logaddexp(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """log(exp(x) + exp(y)).

    Domain: all real numbers.

    Source: definition, by the chain rule.
    """

@overload
def logit(x: Array, /) -> Array: ...
@overload
def logit(x: Expr, /) -> Expr: ...
@overload
def logit(x: PlainNumber, /) -> Expr:
    """log(x/(1 - x)).

    Domain: 0 < x < 1; complex x off the rest of the real axis.

    Source: definition, by the chain rule.
    """

def logm(X: Array) -> Array:
    """The principal logarithm of a matrix, along the last two axes; the axes before are batches.

    Domain: square matrices without eigenvalues on the negative real axis or 0; the principal value.

    Source: N. Higham, Functions of Matrices, chapter 11.
    """

@overload
def logsumexp(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def logsumexp(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """log(sum of exp(x_a)).

    Domain: all real numbers and -inf; no derivative on a slice that is all -inf.

    Source: S. Boyd, L. Vandenberghe, Convex Optimization, section 3.1.5.
    """

@overload
def max(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def max(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The largest x_a.

    Domain: all real numbers.

    Where no derivative exists: entries that tie share the derivative equally.

    Source: definition.
    """

@overload
def maximum(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def maximum(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def maximum(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def maximum(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def maximum(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """x where x > y, y elsewhere.

    Domain: all real numbers.

    Where no derivative exists: where x = y each argument gets the derivative 1/2.

    Source: definition.
    """

@overload
def mean(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def mean(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The mean along free indices (of an Expr) or axes (of an Array)."""

@overload
def median(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def median(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The middle entry in ascending order along free indices or axes, of all entries unless some are named.

    Of an even number it is the mean of the middle two. Entries that tie keep their order: the derivative goes to
    those
    that a stable sort puts in the middle.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.grad(ic.median(x), x).evaluate(x=[3, 1, 5, 2])
    array([0.5, 0. , 0. , 0.5])
    """

@overload
def min(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def min(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The smallest x_a.

    Domain: all real numbers.

    Where no derivative exists: entries that tie share the derivative equally.

    Source: definition.
    """

@overload
def minimum(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def minimum(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def minimum(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def minimum(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def minimum(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """x where x < y, y elsewhere.

    Domain: all real numbers.

    Where no derivative exists: where x = y each argument gets the derivative 1/2.

    Source: definition.
    """

@overload
def norm1(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def norm1(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """Sum of |x_a|.

    Domain: all real numbers.

    Where no derivative exists: 0 at an entry that is 0.

    Source: definition.
    """

@overload
def norm2(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def norm2(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """(sum of x_a**2)**(1/2).

    Domain: all real numbers.

    Where no derivative exists: nan on a slice that is all 0.

    Source: K. Petersen, M. Pedersen, The Matrix Cookbook, section 2.6.
    """

@overload
def normF(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def normF(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The Frobenius norm, `sqrt(sum x_ij**2)`, over all axes unless some are named.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n m")
    >>> ic.normF(A[i,j])
    normF(A[i,j])
    """

@overload
def norm_nuc(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def norm_nuc(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The sum of the singular values.

    Along 2 axes: the last of an Array, the free indices of an Expr, or those named.

    Domain: real matrices.

    Where no derivative exists: a matrix that has not full rank: its derivative there is the subgradient of least
    norm.

    Source: G. Watson, Characterization of the subdifferential of some matrix norms, Linear Algebra and its
    Applications 170, 1992.
    """

@overload
def normp(
    x: Array, p: complex, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> Array: ...
@overload
def normp(x: Expr, p: complex, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """(sum of |x_a|**p)**(1/p).

    Domain: all real numbers, p >= 1.

    Where no derivative exists: for p > 1 nan on a slice that is all 0; for p = 1 it is 0 at an entry that is 0.

    Source: definition, by the chain rule.
    """

@overload
def not_equal(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def not_equal(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def not_equal(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def not_equal(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def not_equal(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """1 where x != y, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps where x = y; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def polar(x: Array, *axes: int, axis: int | Sequence[int] | None = None) -> Array: ...
@overload
def polar(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The polar factor U V^T of X = U S V^T.

    Along 2 axes: the last of an Array, the free indices of an Expr, or those named.

    Domain: real matrices; where the rank is not full, U V^T without the singular values that are 0.

    Where no derivative exists: a matrix that has not full rank.

    Source: N. Higham, Functions of Matrices, chapter 8.
    """

@overload
def polygamma(k: PlainNumber, x: Array, /) -> Array: ...
@overload
def polygamma(k: PlainNumber, x: Expr, /) -> Expr: ...
@overload
def polygamma(k: PlainNumber, x: PlainNumber, /) -> Expr:
    """The k-th derivative of digamma.

    Domain: all real numbers but 0, -1, -2, ...; k = 0, 1, 2, ....

    Source: DLMF 5.15 (Abramowitz-Stegun 6.4.1).
    """

@overload
def power(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def power(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def power(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def power(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def power(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """exp(y*log(x)).

    Domain: x > 0; complex x off the negative real axis.

    Source: DLMF 4.7(ii).
    """

@overload
def prod(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def prod(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The product of all x_a.

    Domain: all real numbers.

    Source: definition, by the product rule.
    """

@overload
def prod_except(x: Array, *axes: int, axis: int | Sequence[int] | None = None) -> Array: ...
@overload
def prod_except(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """y_a = the product of all x_b with b != a.

    Domain: all real numbers.

    Source: definition, by the product rule.
    """

@overload
def quantile(x: Expr, q: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Expr: ...
@overload
def quantile(x: Array, q: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Array:
    """The entry at the place `q*(n - 1)` in ascending order, between two on the line that joins them, as NumPy has
    it.

    A weighted sum of the sorted entries, see `sort`. Source: R. Hyndman, Y. Fan, Sample quantiles in statistical
    packages, 1996, definition 7.

    >>> import indexcalc as ic
    >>> ic.quantile(ic.tensor("x", "n"), 0.25).evaluate(x=[3, 1, 5, 2, 4])
    np.float64(2.0)
    """

@overload
def relu(x: Array, /) -> Array: ...
@overload
def relu(x: Expr, /) -> Expr: ...
@overload
def relu(x: PlainNumber, /) -> Expr:
    """x where x > 0, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: the derivative at 0 is given as 0.

    Source: definition.
    """

@overload
def roll(x: Expr, shift: Any, axis: Any = None) -> Expr: ...
@overload
def roll(x: Array, shift: Any, axis: Any = None) -> Array:
    """The entries moved by `shift` places along an axis, what leaves at the end comes in at the front, as in NumPy.

    Entry i of the result is entry i - shift of x. Shifts and axes may be tuples; a shift may be a dimension.
    Without an
    axis the entries are taken row by row. A symbolic axis is taken to be at least as long as the shift.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.roll(x, 1), ic.roll(x, 1)[1:], ic.roll(x, 1)[0].simplify()
    (roll(x, 1), x[:-1], x[-1])
    """

@overload
def selu(x: Expr) -> Expr: ...
@overload
def selu(x: Array) -> Array:
    """`scale*elu(x, alpha)` with the two constants that keep mean 0 and variance 1.

    Source: G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, arXiv:1706.02515.

    >>> import indexcalc as ic
    >>> ic.selu(ic.scalar("s")).evaluate(s=1).round(4)
    np.float64(1.0507)
    """

@overload
def sigmoid(x: Array, /) -> Array: ...
@overload
def sigmoid(x: Expr, /) -> Expr: ...
@overload
def sigmoid(x: PlainNumber, /) -> Expr:
    """1/(1 + exp(-x)).

    Domain: all real numbers; complex x with |Im x| < pi.

    Source: C. Bishop, Pattern Recognition and Machine Learning, equation (4.88).
    """

@overload
def sign(x: Array, /) -> Array: ...
@overload
def sign(x: Expr, /) -> Expr: ...
@overload
def sign(x: PlainNumber, /) -> Expr:
    """1 where x > 0, -1 where x < 0, 0 at 0.

    Domain: all real numbers.

    Where no derivative exists: jumps at 0; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def silu(x: Array, /) -> Array: ...
@overload
def silu(x: Expr, /) -> Expr: ...
@overload
def silu(x: PlainNumber, /) -> Expr:
    """x/(1 + exp(-x)).

    Domain: all real numbers; complex x with |Im x| < pi.

    Source: D. Hendrycks, K. Gimpel, arXiv:1606.08415, by the product rule.
    """

@overload
def simplify(expr: Expr) -> Expr: ...
@overload
def simplify(expr: Array) -> Array:
    """The simplified form of an expression."""

@overload
def sin(x: Array, /) -> Array: ...
@overload
def sin(x: Expr, /) -> Expr: ...
@overload
def sin(x: PlainNumber, /) -> Expr:
    """(exp(i*x) - exp(-i*x))/(2*i).

    Domain: all real numbers.

    Source: DLMF 4.20.
    """

@overload
def sinh(x: Array, /) -> Array: ...
@overload
def sinh(x: Expr, /) -> Expr: ...
@overload
def sinh(x: PlainNumber, /) -> Expr:
    """(exp(x) - exp(-x))/2.

    Domain: all real numbers.

    Source: DLMF 4.34.
    """

def sinm(X: Array) -> Array:
    """The sine of a matrix, along the last two axes; the axes before are batches.

    Domain: all square matrices.

    Source: N. Higham, Functions of Matrices, chapter 12.
    """

@overload
def softmax(x: Array, *axes: int, axis: int | Sequence[int] | None = None) -> Array: ...
@overload
def softmax(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """y_a = exp(x_a)/(sum of exp(x_b)).

    Domain: all real numbers.

    Source: C. Bishop, Pattern Recognition and Machine Learning, equation (4.106).
    """

@overload
def softplus(x: Array, /) -> Array: ...
@overload
def softplus(x: Expr, /) -> Expr: ...
@overload
def softplus(x: PlainNumber, /) -> Expr:
    """log(1 + exp(x)).

    Domain: all real numbers; complex x with |Im x| < pi.

    Source: definition, by the chain rule.
    """

@overload
def sort(x: Array, *axes: int, axis: int | Sequence[int] | None = None) -> Array: ...
@overload
def sort(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """y_a = the a-th smallest x_b.

    Along 1 axis: the last of an Array, the free indices of an Expr, or those named.

    Domain: all real numbers.

    Where no derivative exists: entries that tie keep their order, as in a stable sort.

    Source: definition.
    """

@overload
def sqrt(x: Array, /) -> Array: ...
@overload
def sqrt(x: Expr, /) -> Expr: ...
@overload
def sqrt(x: PlainNumber, /) -> Expr:
    """The square root, entry by entry: `x**(1/2)`.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s"); ic.sqrt(s)
    sqrt(s)
    """

def sqrtm(X: Array) -> Array:
    """The principal square root of a matrix, along the last two axes; the axes before are batches.

    Domain: square matrices without eigenvalues on the negative real axis or 0; the principal value.

    Source: N. Higham, Functions of Matrices, chapter 6.
    """

@overload
def stack(arrays: Expr, axis: Any = 0) -> Expr: ...
@overload
def stack(arrays: Array, axis: Any = 0) -> Array:
    """The arrays, all of one shape, along a new axis; of Exprs `axis` is a new index.

    >>> import indexcalc as ic
    >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
    >>> ic.stack([x, y]).shape, ic.stack([x, y], axis=-1)[:, 0] == x
    ((2, n), True)
    """

@overload
def std(
    x: Expr, *args: Any, axis: Any = None, ddof: int = 0, correction: int | None = None, keepdims: bool = False
) -> Expr: ...
@overload
def std(
    x: Array, *args: Any, axis: Any = None, ddof: int = 0, correction: int | None = None, keepdims: bool = False
) -> Array:
    """The standard deviation along free indices or axes: the root of the variance, see `var`.

    On a slice of equal entries it is 0 and has no derivative: nan comes out, as of `norm2`, by which it is made.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.std(x), ic.grad(ic.std(x), x)
    (norm2(x - mean(x))/sqrt(n), (x - mean(x))/(sqrt(n)*norm2(x - mean(x))))
    """

@overload
def step(x: Array, /) -> Array: ...
@overload
def step(x: Expr, /) -> Expr: ...
@overload
def step(x: PlainNumber, /) -> Expr:
    """1 where x > 0, 0 elsewhere.

    Domain: all real numbers.

    Where no derivative exists: jumps at 0; the derivative is 0 elsewhere, and is given as 0 there.

    Source: definition.
    """

@overload
def sum(x: Array, *axes: int, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array: ...
@overload
def sum(x: Expr, *indices: Index, axis: Index | Sequence[Index] | None = None) -> Expr:
    """The sum along free indices (of an Expr) or axes (of an Array).

    >>> import indexcalc as ic
    >>> i, a = ic.indices("i a"); T = ic.tensor("T", "n m")
    >>> ic.sum(T[i,a], axis=i).free, ic.sum(T, axis=0).shape
    ((a,), (m,))
    """

def svdvals(X: Array) -> Array:
    """The singular values, descending, along the last two axes; the axes before are batches.

    Domain: real matrices.

    Where no derivative exists: at 0 and at equal singular values they have directional derivatives alone; the
    diagonal of U^T dX V comes out.

    Source: M. Giles, Collected matrix derivative results for forward and reverse mode, 2008, section 3.2.
    """

@overload
def tan(x: Array, /) -> Array: ...
@overload
def tan(x: Expr, /) -> Expr: ...
@overload
def tan(x: PlainNumber, /) -> Expr:
    """sin(x)/cos(x).

    Domain: cos(x) != 0.

    Source: DLMF 4.20.
    """

@overload
def tanh(x: Array, /) -> Array: ...
@overload
def tanh(x: Expr, /) -> Expr: ...
@overload
def tanh(x: PlainNumber, /) -> Expr:
    """sinh(x)/cosh(x).

    Domain: all real numbers.

    Source: DLMF 4.34.
    """

@overload
def var(
    x: Expr, *args: Any, axis: Any = None, ddof: int = 0, correction: int | None = None, keepdims: bool = False
) -> Expr: ...
@overload
def var(
    x: Array, *args: Any, axis: Any = None, ddof: int = 0, correction: int | None = None, keepdims: bool = False
) -> Array:
    """The variance along free indices or axes: the mean of `(x - mean(x))**2`, over `n - ddof` in place of n.

    `correction` is another name of `ddof`, as NumPy has it. The mean is taken off before anything is squared.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.var(x)
    mean((x - mean(x))**2)
    >>> ic.grad(ic.var(x, ddof=1), x)
    2*(x - mean(x))/(n - 1)
    """

@overload
def where(c: Array, x: Array | PlainNumber, y: Array | PlainNumber, /) -> Array: ...
@overload
def where(c: Expr, x: Expr | Array | PlainNumber, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def where(c: PlainNumber, x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def where(c: Array | PlainNumber, x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def where(c: PlainNumber, x: PlainNumber, y: Array, /) -> Array: ...
@overload
def where(c: Array | PlainNumber, x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def where(c: PlainNumber, x: PlainNumber, y: PlainNumber, /) -> Expr:
    """x where c != 0, y where c = 0.

    Domain: all real numbers.

    Where no derivative exists: jumps where c becomes 0; the derivative by c is 0 elsewhere, and is given as 0
    there.

    Source: definition.
    """

@overload
def xlogy(x: Array, y: Array | PlainNumber, /) -> Array: ...
@overload
def xlogy(x: Expr, y: Expr | Array | PlainNumber, /) -> Expr: ...
@overload
def xlogy(x: PlainNumber, y: Array, /) -> Array: ...
@overload
def xlogy(x: Array | PlainNumber, y: Expr, /) -> Expr: ...
@overload
def xlogy(x: PlainNumber, y: PlainNumber, /) -> Expr:
    """x*log(y), 0 where x = 0.

    Domain: y > 0, and x = 0 beside any y.

    Source: definition, by the product rule.
    """

__all__ = [
    "Array",
    "DerivativeError",
    "DimensionError",
    "Expr",
    "Index",
    "IndexCalcError",
    "InputError",
    "KindError",
    "LayoutError",
    "NameRefused",
    "NoRuleError",
    "NotationError",
    "ParseError",
    "RangeError",
    "abs",
    "acos",
    "acosh",
    "adj",
    "argsort",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "block",
    "check",
    "cholesky",
    "clip",
    "cofactor",
    "column",
    "commutation",
    "compile",
    "compressed",
    "concatenate",
    "convolve",
    "correlate",
    "cos",
    "cosh",
    "cosm",
    "cov",
    "cross",
    "cumprod",
    "cumsum",
    "define",
    "delta",
    "derivative",
    "det",
    "diag",
    "diagm",
    "diff",
    "differential",
    "digamma",
    "duplication",
    "eigh",
    "eigvalsh",
    "einsum",
    "elimination",
    "elu",
    "entr",
    "epsilon",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expand",
    "explain",
    "expm",
    "expm1",
    "eye",
    "free_workspace",
    "from_sympy",
    "function",
    "gammaln",
    "gelu",
    "grad",
    "greater",
    "greater_equal",
    "hadamard",
    "hard_tanh",
    "hessian",
    "hvp",
    "index",
    "indices",
    "inv",
    "jvp",
    "khatri_rao",
    "kron",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logaddexp",
    "logdet",
    "logit",
    "logm",
    "logsumexp",
    "matrix_power",
    "max",
    "maximum",
    "mean",
    "median",
    "min",
    "minimize_args",
    "minimum",
    "norm1",
    "norm2",
    "normF",
    "norm_nuc",
    "normp",
    "not_equal",
    "one_hot",
    "ones",
    "outer",
    "parse",
    "pi",
    "pinv",
    "polar",
    "polygamma",
    "power",
    "preflight",
    "prod",
    "prod_except",
    "quantile",
    "range",
    "rearrange",
    "reduce",
    "relu",
    "repeat",
    "roll",
    "row",
    "scalar",
    "selu",
    "show_progress",
    "sigmoid",
    "sign",
    "silu",
    "simplify",
    "sin",
    "sinh",
    "sinm",
    "softmax",
    "softplus",
    "solve",
    "sort",
    "split",
    "sqrt",
    "sqrtm",
    "stack",
    "std",
    "step",
    "sum",
    "svd",
    "svdvals",
    "sym",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensor",
    "tile",
    "to_source",
    "tr",
    "tril",
    "triu",
    "unfold",
    "unit",
    "unvec",
    "var",
    "vec",
    "vech",
    "verify",
    "vjp",
    "voigt",
    "where",
    "xlogy",
    "zeros",
]
