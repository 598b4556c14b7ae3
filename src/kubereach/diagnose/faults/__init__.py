"""One file per cause. See diagnose.fault for what each must define."""
