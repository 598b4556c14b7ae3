"""What the lab measured, held against what the simulator predicts: the only part of the lab that knows both."""
