//! `list_interfaces`: the network interfaces that the capture was recorded on.

use clap::ArgMatches;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::Report;
use mptcp_trace::packets::Interface;

/// Lists the interfaces of the loaded capture.
pub struct ListInterfaces;

impl Described for ListInterfaces {
    fn name(&self) -> &'static str {
        "list_interfaces"
    }

    fn summary(&self) -> &'static str {
        "List the network interfaces of the capture"
    }

    fn details(&self) -> &'static str {
        "pcapng files name each packet's interface; cooked captures (version 2, `tcpdump -i any`) give its index. \
         `packets` counts TCP packets. `load_pcap FILE --interface NAME` loads one interface only."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "list_interfaces", purpose: "paths that the capture covers" }]
    }
}

impl Command for ListInterfaces {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn run(&self, _: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        Ok(Outcome::Report(report(&session.capture()?.facts.interfaces)))
    }
}

fn report(interfaces: &[Interface]) -> Report {
    let report = Report::listing(interfaces, &[("id", ""), ("name", ""), ("packets", "")]).declared("list_interfaces");
    if interfaces.is_empty() {
        report
            .with_notes(vec!["the file does not name its interfaces; pcapng files and `tcpdump -i any` do".to_string()])
    } else {
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Cell;
    use serde_json::json;

    #[test]
    fn each_interface_is_a_row_and_a_record() {
        let interfaces = [
            Interface { id: 0, name: Some("eth0".to_string()), packets: 12 },
            Interface { id: 2, name: None, packets: 0 },
        ];
        let report = report(&interfaces);
        assert_eq!(
            report.data.value().unwrap(),
            json!([{"id": 0, "name": "eth0", "packets": 12}, {"id": 2, "name": null, "packets": 0}])
        );
        assert_eq!(report.tables[0].rows[1], [Cell::Integer(2), Cell::Null, Cell::Integer(0)]);
        assert!(report.notes.is_empty());
    }

    #[test]
    fn a_format_without_interfaces_says_so() {
        let report = report(&[]);
        assert_eq!((report.data.value().unwrap(), report.notes.len()), (json!([]), 1));
    }
}
