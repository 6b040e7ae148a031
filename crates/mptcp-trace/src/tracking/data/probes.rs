//! How far the data of one direction have come: what tells a window probe at the data level from data sent again.

use crate::packets::segment::Segment;

/// One direction's data so far, in working numbers.
///
/// Where the window of the connection is shut, Linux sends the last byte of the data again, under the next subflow
/// sequence number and with a mapping of its own (`MPTcpExtWinProbe`): the receiver has acknowledged it long ago.
#[derive(Debug, Clone, Copy, Default)]
pub struct DataProgress {
    /// The lowest number that was mapped.
    lowest: Option<u64>,
    /// One past the highest number that was mapped.
    end: Option<u64>,
    /// The highest DATA_ACK.
    acknowledged: Option<u64>,
    /// The latest DATA_ACK that came with a window of 0.
    shut_at: Option<u64>,
}

impl DataProgress {
    /// Takes in a mapping.
    #[inline]
    pub fn map(&mut self, dsn: u64, length: u64) {
        if length > 0 {
            let end = dsn.saturating_add(length);
            self.lowest = Some(self.lowest.map_or(dsn, |lowest| lowest.min(dsn)));
            self.end = Some(self.end.map_or(end, |highest| highest.max(end)));
        }
    }

    /// Takes in a DATA_ACK of the data, which `segment` carried.
    #[inline]
    pub fn acknowledge(&mut self, data_ack: u64, segment: &Segment) {
        self.acknowledged = self.acknowledged.max(Some(data_ack));
        if segment.window == 0 && self.acknowledged == Some(data_ack) {
            self.shut_at = Some(data_ack);
        }
    }

    /// Whether a mapping of a payload of one byte is a window probe: of the last byte that was acknowledged when the
    /// window was shut. Other subflows may have gone on meanwhile.
    #[inline]
    #[must_use]
    pub fn is_probe(&self, dsn: u64, length: u64) -> bool {
        length == 1 && self.shut_at == Some(dsn.saturating_add(1))
    }

    /// The highest DATA_ACK.
    #[must_use]
    pub fn acknowledged(&self) -> Option<u64> {
        self.acknowledged
    }

    /// The lowest number that was mapped.
    #[must_use]
    pub fn lowest(&self) -> Option<u64> {
        self.lowest
    }

    /// One past the highest number that was mapped.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.end
    }
}
