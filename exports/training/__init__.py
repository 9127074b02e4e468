"""Training by ms-swift: recipes, checks before, supervision during, serving after.

Nothing here imports ms-swift into the application: the scripts `tiny_model`, `inside_*` run in the
trainer's own interpreter, and everything else speaks with them through files.
"""
