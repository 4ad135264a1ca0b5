"""Light: transfer curves, openings, blur, gradients. The only place where light is computed.

Everything works on tensors; `util.optics.arrays` has what NumPy code needs. Imports `util` alone.
"""
