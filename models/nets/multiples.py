"""What the sides of photos are multiples of for networks whose options check it: here without PyTorch."""

DEFOCUS_MULTIPLE = 16
