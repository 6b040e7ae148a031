//! The shell: prompt, scripts and single commands, all through one executor.
