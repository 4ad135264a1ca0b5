"""Light: transfer curves, apertures, blur, gradients. The only place where light is computed.

Everything works on tensors; `util.optics.arrays` has what NumPy code needs. Imports nothing of the project.
"""
