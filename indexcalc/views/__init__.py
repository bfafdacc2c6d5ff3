"""What users hold: `Expr` names axes, `Array` places them; both are thin and stand on one node."""
