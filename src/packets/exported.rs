//! Reading back what `export` wrote.
