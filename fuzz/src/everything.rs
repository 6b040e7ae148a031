//! Every question that the core answers, asked of a capture.

use std::hint::black_box;

use mptcp_trace::Span;
use mptcp_trace::analysis::live::Live;
use mptcp_trace::analysis::{
    addresses, capture_point, closing, events, fallback, flight, interarrival, joins, mapping_lengths,
    mptcp_connections, mptcp_summary, option_loss, out_of_order, rates, reinjections, removals, requests, reset_ttl,
    retransmissions, rtt, setup, subflows, tcp_connections, tcp_summary, unseen,
};
use mptcp_trace::tracking::Capture;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::Role;

/// Asks everything. Nothing panics, and what is answered has as many parts as there is to answer for.
pub fn ask_everything(capture: &Capture) {
    let tracking = &capture.tracking;
    black_box(mptcp_connections::mptcp_connections(capture));
    black_box(requests::requests(capture));
    assert_eq!(tcp_connections::tcp_connections(tracking).len(), tracking.streams.len());
    for stream in &tracking.streams {
        for direction in tcp_summary::tcp_summary(capture, stream).directions {
            assert!(direction.goodput_bytes <= direction.throughput_bytes);
        }
        black_box(capture_point::of_subflow(capture, stream));
        black_box(flight::stream_flight(&capture.segments, tracking, stream));
        black_box(interarrival::interarrival(capture, stream, interarrival::Counted::All));
        black_box(rates::stream_payload(capture, stream));
    }
    for connection in &tracking.connections {
        let sequence = data_sequence(&capture.segments, tracking, connection);
        for role in Role::BOTH {
            black_box(flight::data_flight(sequence.get(role)));
        }
        black_box(mptcp_summary::mptcp_summary(capture, connection));
        let reinjected = reinjections::Reinjected::of(capture, connection, None);
        black_box((reinjected.list(), reinjected.summary()));
        black_box(events::events(capture, connection, None));
        black_box(rtt::rtt(capture, connection));
        black_box(out_of_order::out_of_order(capture, connection));
        black_box(rates::first_sent(capture, connection));
        black_box(mapping_lengths::mapping_lengths(capture, connection));
        black_box(joins::joins(capture, connection));
        black_box(addresses::advertisements(capture, connection));
        black_box(removals::removals(capture, connection));
        black_box(fallback::fallback(capture, connection));
        black_box(closing::closing(capture, connection));
        black_box(option_loss::losses(capture, connection));
        black_box(setup::setup(capture, connection));
        black_box(reset_ttl::strange_resets(capture, connection));
        black_box(unseen::unseen(capture, connection));
        black_box(capture_point::of_connection(capture, connection));
        assert_eq!(subflows::subflows(capture, connection).len(), connection.subflows.len());
        for index in 0..connection.subflows.len() {
            black_box(retransmissions::sent_again(capture, connection, index));
        }
    }
    let mut live = Live::new(Span::from_seconds(1));
    for segment in &capture.segments {
        live.push(segment, capture.segments.ends(segment), capture.origin());
        black_box(live.take_news());
    }
    live.finish();
    black_box(live.take_news());
}
