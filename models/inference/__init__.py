"""From a trained generator to results: photos of any size, large ones, folders."""
