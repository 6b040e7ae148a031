//! The runner for Dask: its own test on this machine, where Python has the packages.

use std::path::Path;
use std::process::Command;

use super::readers::python;

#[test]
fn a_cluster_with_a_killed_worker_and_an_object_store_write_the_same_dataset() {
    let Some(python) = python("distributed, s3fs, moto.server, pyarrow") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(root.join("integrations/dask/test_mptcp_dask.py"))
        .env("MPTCPANALYZER", env!("CARGO_BIN_EXE_mptcpanalyzer"))
        .env("MPTCP_CAPTURES", root.join("tests/captures"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("Ran 2 tests") && !said.contains("skipped"), "{said}");
}
