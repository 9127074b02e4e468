"""What words mean: values and pure judgements, no input or output."""
