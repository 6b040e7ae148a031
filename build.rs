//! Links the program.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    // A program that may lie anywhere in memory has 300,000 addresses put right at each start, nearly all of them in
    // polars: half of the time of a command over a small capture. At a fixed place there is nothing to put right; stack,
    // heap and libraries lie anywhere as before.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
