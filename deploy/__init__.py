"""Ways to run the system: `local` (the embedded stack), compose and Kubernetes."""
