"""Networks: tensors in, tensors out; they know no options. May import `util`."""
