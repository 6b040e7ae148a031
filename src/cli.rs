//! The program's own flags.
