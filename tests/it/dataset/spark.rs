//! Spark, where Python has it and Java is there: it reads a dataset, and its recipe in docs/many-machines.md writes the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::readers::python;
use super::{analyze, base, folder_of_small, rows};
use crate::support::program::Home;

/// The folders of the recipe in place of which the test has its own, and the search path of the executors.
const RECIPE: [&str; 3] = ["/shared/captures", "/shared/study", "/usr/local/bin:"];

const SCRIPT: &str = r#"
import sys
from pyspark.sql import SparkSession
dataset, recipe = sys.argv[1:3]
spark = SparkSession.builder.master("local[2]")
for key, value in {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}.items():
    spark = spark.config(key, value)
spark = spark.getOrCreate()
sc = spark.sparkContext
exec(recipe)
print(sorted(record["status"] for record in records))
try:
    sc.parallelize(["a capture"], 1).pipe("sh -c 'exit 1'", checkCode=True).collect()
    print("a program that failed was not noticed")
except Exception as error:
    print("refused" if "exited with error code 1" in str(error) else error)
for table in sys.argv[3:]:
    spark.read.parquet(f"{dataset}/{table}").createOrReplaceTempView(table)
print(*[spark.table(table).count() for table in sys.argv[3:]])
query = "SELECT SUM(d.goodput_bytes) FROM directions d JOIN captures c USING (capture) WHERE c.status = 'ok' AND d.towards = 'server'"
print(spark.sql(query).collect()[0][0])
"#;

fn has_java() -> bool {
    let found = Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: Spark needs Java");
    }
    found
}

#[test]
fn spark_writes_a_dataset_by_the_recipe_and_reads_it() {
    let Some(python) = python("pyspark").filter(|_| has_java()) else { return };
    let home = Home::new();
    let folder = folder_of_small(&home);
    fs::write(folder.join("garbage.pcap"), "neither pcap nor pcapng").unwrap();
    let alone = home.path("alone");
    assert_eq!(analyze(&home, &[&folder], &alone, &["--root", folder.to_str().unwrap()]).code, Some(3));

    let names: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    home.write("captures.txt", &(names.join("\n") + "\n"));
    fs::create_dir(home.path("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mptcpanalyzer"), home.path("bin/mptcpanalyzer")).unwrap();
    let out = home.path("dataset");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/many-machines.md")).unwrap();
    let recipe = page.split("## Spark").nth(1).and_then(|text| text.split("```python\n").nth(1)).unwrap();
    let mut recipe = recipe.split("```").next().unwrap().to_string();
    let ours = [folder.display().to_string(), out.display().to_string(), format!("{}:", home.path("bin").display())];
    for (theirs, ours) in RECIPE.iter().zip(&ours) {
        assert!(recipe.contains(theirs), "the recipe has no {theirs}");
        recipe = recipe.replace(theirs, ours);
    }
    let output = Command::new(python)
        .args(["-c", SCRIPT, out.to_str().unwrap(), &recipe])
        .args(base())
        .current_dir(home.path(""))
        .output()
        .unwrap();

    let statuses = vec!["'error'".to_string()].into_iter().chain(vec!["'ok'".to_string(); names.len() - 1]);
    let counts: Vec<String> = base().iter().map(|table| rows(&alone, table).len().to_string()).collect();
    let goodput: u64 = rows(&alone, "directions")
        .iter()
        .filter(|row| row["towards"] == "server")
        .map(|row| row["goodput_bytes"].as_u64().unwrap())
        .sum();
    let expected = format!("[{}]\nrefused\n{}\n{goodput}", statuses.collect::<Vec<_>>().join(", "), counts.join(" "));
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), expected, "{}", String::from_utf8_lossy(&output.stderr));
}
