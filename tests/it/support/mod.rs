//! What tests share: the program, captures and figures.

pub mod columns_of;
pub mod drawn;
pub mod exchange;
pub mod made;
pub mod made_mptcp;
pub mod program;
pub mod rewritten;
pub mod scenarios;
#[path = "../../../benches/hostile/shapes.rs"]
pub mod shapes;
pub mod three_modes;
