//! The packets that count if a capture has those of several places: one interface's, or one copy of each.

/// Which copies count where packets were recorded in several places along their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CopiesWanted {
    /// Of each packet the one recorded where a connection's first packet passed first: nearest to its client
    #[default]
    First,
    /// The one recorded where it passed last: nearest to its server
    Last,
    /// All, as if they were packets of their own
    All,
}

/// Which of the packets of a file count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PointOfView {
    /// Only those recorded on this interface: its name, or its number in the file.
    pub interface: Option<String>,
    /// Which copies of them.
    pub copies: CopiesWanted,
    /// Only what was recorded at the place of these copies. Otherwise packets count that were recorded elsewhere alone.
    pub only_there: bool,
}

impl PointOfView {
    /// Packets recorded on an interface, if named, and these copies of them.
    #[must_use]
    pub fn with(interface: Option<String>, copies: Option<CopiesWanted>) -> Self {
        PointOfView { interface, copies: copies.unwrap_or_default(), only_there: false }
    }

    /// What stands behind the `@` in the name of a capture: `client` or `first`, `server` or `last`, `all`, or an
    /// interface. Each is a capture of its own: of what was recorded there.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let place = |copies| PointOfView { interface: None, copies, only_there: true };
        match name {
            "client" | "first" => place(CopiesWanted::First),
            "server" | "last" => place(CopiesWanted::Last),
            "all" => PointOfView { copies: CopiesWanted::All, ..PointOfView::default() },
            interface => PointOfView { interface: Some(interface.to_string()), ..PointOfView::default() },
        }
    }

    /// The name of the capture `file` seen from here.
    #[must_use]
    pub fn name(&self, file: &str) -> String {
        let interface = self.interface.iter().map(|interface| format!("@{interface}")).collect::<String>();
        let copies = match (self.copies, self.only_there) {
            (CopiesWanted::First, false) => "",
            (CopiesWanted::First, true) => "@client",
            (CopiesWanted::Last, false) => " --copies last",
            (CopiesWanted::Last, true) => "@server",
            (CopiesWanted::All, _) => "@all",
        };
        format!("{file}{interface}{copies}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_a_place_or_for_an_interface() {
        for (name, shown) in [
            ("client", "a@client"),
            ("first", "a@client"),
            ("server", "a@server"),
            ("last", "a@server"),
            ("all", "a@all"),
            ("eth0", "a@eth0"),
        ] {
            assert_eq!(PointOfView::named(name).name("a"), shown);
        }
        assert_eq!(PointOfView::default().name("a"), "a");
    }
}
