//! How connections were released.

use serde_json::Value;

use crate::support::program::Home;
use crate::support::scenarios;

fn connections(capture: &std::path::Path) -> Vec<Value> {
    let run = Home::new().run(&["--no-cache", "-l", capture.to_str().unwrap(), "lc", "--json"], "");
    assert_eq!(run.code, Some(0), "{}", run.messages);
    serde_json::from_str::<Value>(&run.results).unwrap().as_array().unwrap().clone()
}

/// Both ends close the second subflow with FIN; the first and the third are open to the end, and no DATA_FIN came.
#[test]
fn a_connection_is_open_although_one_of_its_subflows_was_closed() {
    let Some(capture) = scenarios::field("23_address_id_reused.pcap") else { return };
    let [connection] = &connections(&capture)[..] else { panic!("one connection") };
    assert_eq!(connection["subflows"][1]["state"], "closed", "{connection}");
    assert_eq!([&connection["state"], &connection["release"]], ["open", "open"], "{connection}");
}

/// What the lab did to each (README of the scenarios): MP_FASTCLOSE, an ordinary end, a fallback to TCP.
#[test]
fn releases_are_those_of_the_scenarios() {
    let Some(folder) = scenarios::folder() else { return };
    for (file, release) in [
        ("07a_fastclose_client/client.pcap", "fastclose"),
        ("07b_fastclose_server/server.pcap", "fastclose"),
        ("01_basic/client.pcapng", "data_fin"),
        ("17_halfclose_server_first/client.pcap", "data_fin"),
        ("09f_fb_dss_stripped_later/client.pcap", "fin"),
    ] {
        let path = ["pcap", "pcapng"].map(|ending| folder.join(file).with_extension(ending));
        let path = path.iter().find(|path| path.is_file()).unwrap();
        let found = connections(path);
        assert_eq!(found[0]["release"], release, "{file}: {}", found[0]);
    }
}
