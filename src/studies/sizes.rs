//! Bytes of connections (`cdf_bytes_all`, `cdfs_bytes`, the second part of `cdf_duration_bytes`).

use clap::ArgMatches;

use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, Values, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// How much data connections carry.
pub struct Sizes;

impl Described for Sizes {
    fn name(&self) -> &'static str {
        "sizes"
    }

    fn summary(&self) -> &'static str {
        "Data of connections: bytes in both directions and in each"
    }

    fn details(&self) -> &'static str {
        "Size of a connection = its goodput, each byte of data counted once, in both directions together (lines `both \
         directions`) or in one. The analysis scripts counted acknowledged bytes, which include one for each of \
         MP_CAPABLE and DATA_FIN. A size of 0 has no place on the logarithmic axis, but counts in the shares. kB are \
         1,000 bytes. Packets are those with payload, including what was sent again."
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "analyze ./examples --out ./ds; study sizes ./ds", purpose: "all connections" },
            Example {
                line: "analyze ./examples --out ./ds; study sizes ./ds --where \"subflows > 1\" -o sizes.svg",
                purpose: "connections with several subflows",
            },
        ]
    }
}

/// Limits as printed.
const SIZES: [(f64, &str); 7] =
    [(0.0, "0 B"), (1e3, "1 kB"), (2e3, "2 kB"), (5e3, "5 kB"), (10e3, "10 kB"), (100e3, "100 kB"), (1e6, "1 MB")];

impl Study for Sizes {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("directions", &["mptcpstream", "towards", "goodput_bytes"]),
            ("subflow_directions", &["mptcpstream", "data_packets"]),
        ]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let nothing = || vec![0.0_f64; population.len()];
        let (mut to_server, mut to_client, mut packets) = (nothing(), nothing(), nothing());
        population.each("directions", ["goodput_bytes"], ["towards"], |member, [bytes], [to]| {
            let of = if to == Some("server") { &mut to_server } else { &mut to_client };
            of.get_mut(member).into_iter().for_each(|sum| *sum += bytes.unwrap_or_default());
        })?;
        population.each("subflow_directions", ["data_packets"], [], |member, [sent], []| {
            packets.get_mut(member).into_iter().for_each(|sum| *sum += sent.unwrap_or_default());
        })?;
        let mut sizes = population.grouped_by(&["both directions", "to server", "to client"]);
        let mut of_packets = population.grouped();
        for (member, ((up, down), packets)) in to_server.iter().zip(&to_client).zip(packets).enumerate() {
            for (class, bytes) in [up + down, *up, *down].into_iter().enumerate() {
                sizes.push_in(member, class, bytes);
            }
            of_packets.push(member, packets);
        }
        let sizes = sizes.values();
        let mut numbers = StudyNumbers::default();
        for group in &sizes {
            numbers.at_most(group, "size", &SIZES);
            numbers.share(&group.name, "size of 9 to 11 B", between(group, 9.0, 11.0), group.values.len());
            numbers.distribution(group, "size", Unit::Bytes);
            numbers.value(&group.name, "size: total", Some(group.values.iter().sum()), Unit::Bytes);
        }
        for group in of_packets.values() {
            let limits = [(2.0, "2"), (3.0, "3"), (5.0, "5"), (10.0, "10")];
            numbers.at_most(&group, "packets with payload", &limits);
        }
        let x = Axis::new("size of the connection", Unit::Bytes).logarithmic();
        let y = Axis::new("share of connections", Unit::Share).with_range(0.0, 1.02);
        let figure = Figure::new("Data of connections").with_panel(cumulative(&sizes, Cumulative::AtMost, x, y));
        Ok(Studied { figure, numbers })
    }
}

fn between(group: &Values, low: f64, high: f64) -> usize {
    group.values.iter().filter(|value| (low..=high).contains(*value)).count()
}
