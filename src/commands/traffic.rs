//! `traffic N`

use clap::ArgMatches;

use super::shared::limit::{self, Limit, amount};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::traffic::{Traffic, traffic};

/// Counts packets by kind.
pub struct TrafficCommand;

impl Described for TrafficCommand {
    fn name(&self) -> &'static str {
        "traffic"
    }

    fn summary(&self) -> &'static str {
        "Count each subflow's packets by kind, with first and last times and sizes"
    }

    fn details(&self) -> &'static str {
        "One row per subflow and direction. pure_acks have ACK and neither payload nor SYN, FIN or RST. Times are seconds \
         since the first frame of the file; first_data and last_data are those of packets with payload, retransmissions \
         included. idle is the longest time between two packets of the direction. frame_bytes are frames on the wire, \
         headers included. window_min and window_max are the receive windows that the packets of this direction announce, \
         for data in the other one.\n\n\
         Of the other direction's data and FIN, too: first_ack, last_ack (the last packet that acknowledges data for the \
         first time), fin_ack, and dup_acks, the duplicate acknowledgements of RFC 5681: packets without data that change \
         neither acknowledgement number nor window while data is under way, and have no MPTCP option but DSS. \
         triple_dup_acks counts the third ones of a number.\n\n\
         out_of_order_packets have bytes that lie below others seen before and had not been seen: overtaken, or lost before \
         the place of capture and sent again. missed_bytes lie below the highest byte seen or acknowledged and were in no \
         captured packet. in_flight_min, in_flight_mean and in_flight_max are bytes not yet acknowledged right behind each \
         packet with data; initial_window_bytes were seen before any was acknowledged. At the receiver, these are not what \
         the sender had under way.\n\n\
         JSON and CSV have all of it; the table omits flags, acknowledgements, times to live, windows and bytes in flight."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "traffic 0", purpose: "packets of connection 0, by subflow and direction" },
            Example { line: "traffic 0 --format csv", purpose: "with flags, times to live and windows" },
        ]
    }
}

impl Command for TrafficCommand {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let found = traffic(capture, connection);
        let mut table = Table::headed(&[
            ("tcpstream", "tcp\nstream"),
            ("towards", ""),
            ("packets", ""),
            ("data_packets", "with\ndata"),
            ("pure_acks", "pure\nACKs"),
            ("frame_bytes", "frames"),
            ("first", ""),
            ("last", ""),
            ("idle", ""),
            ("segment_max", "largest\npayload"),
            ("zero_windows", "zero\nwindows"),
            ("out_of_order_packets", "out of\norder"),
        ]);
        table.rows.extend(found.iter().map(row));
        let table = Limit::of(arguments).cut(table, "with the fewest packets", |_, row| amount(row, 2));
        Ok(Outcome::Report(Report::new(&found, vec![table]).complete(&ROWS).declared("traffic")))
    }
}

/// A row a direction.
const ROWS: Rows = Rows {
    columns: &["tcpstream", "towards", "packets", "data_packets", "pure_acks"],
    seconds: &["first", "last", "first_data", "last_data", "idle", "first_ack", "last_ack", "fin_ack"],
    ..Rows::FLAT
};

fn row(one: &Traffic) -> Vec<Cell> {
    let time = |seconds: Option<f64>| seconds.map_or(Cell::Null, Cell::seconds);
    vec![
        Cell::Integer(one.tcpstream.0.into()),
        Cell::name(&one.towards),
        Cell::Integer(one.packets.into()),
        Cell::Integer(one.data_packets.into()),
        Cell::Integer(one.pure_acks.into()),
        one.frame_bytes.map_or(Cell::Null, Cell::Bytes),
        time(one.first),
        time(one.last),
        time(one.idle),
        one.segment_max.map_or(Cell::Null, |bytes| Cell::Bytes(bytes.into())),
        Cell::Integer(one.zero_windows.into()),
        Cell::Integer(one.out_of_order_packets.into()),
    ]
}
