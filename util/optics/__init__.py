"""Light: transfer curves, apertures, blur. The only place where light is computed. Imports nothing of the project."""
