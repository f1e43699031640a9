//! TCP at a TSpec, and what cannot be had of it.

use super::wire::{Packet, SYN, fits};
use super::{Pair, Way, address, port, socket};
use rsvp_client::pace::PaceError;
use rsvp_client::{Dscp, Excess, PacedSocket, Traffic, mark};
use std::io::Read;
use std::net::TcpListener;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const BUCKET: u64 = 6000;

fn traffic(rate: u64) -> Traffic {
    Traffic { bucket: BUCKET as f64, min_packet: 64, max_packet: 1500, ..Traffic::of(rate as f64 * 8.0) }
}

/// A marked connection of the runtime's around the caller.
async fn connected(way: Way, port: u16) -> TcpStream {
    let socket = socket(socket2::Type::STREAM, way.client);
    mark(&socket, Dscp::AF41).expect("no privilege is needed");
    socket.connect(&address(way.to, port).into()).expect("the server listens");
    socket.set_nonblocking(true).expect("O_NONBLOCK");
    TcpStream::from_std(socket.into()).expect("a runtime")
}

fn listener(pair: &Pair) -> (TcpListener, u16) {
    pair.on("b", || {
        let socket = socket(socket2::Type::STREAM, "[::]:0");
        socket.listen(8).expect("a listener");
        let port = port(&socket);
        (socket.into(), port)
    })
}

/// At 1 and 20 Mbit/s, in both families: every octet comes, and segments with new data fit the bucket at the far side.
#[test]
fn a_shaped_stream_fits_the_bucket_and_nothing_is_lost() {
    let Some(pair) = Pair::new("TCP that is shaped") else { return };
    let ways = [
        (Way { bind: "", to: "10.0.1.2", client: "0.0.0.0:0" }, 125_000, 60_000),
        (Way { bind: "", to: "fd00:1::2", client: "[::]:0" }, 2_500_000, 1_500_000),
        (Way { bind: "", to: "::ffff:10.0.1.2", client: "[::]:0" }, 2_500_000, 300_000),
    ];
    for (way, rate, octets) in ways {
        let (listener, port) = listener(&pair);
        let sent: Vec<u8> = (0..octets).map(|n| (n % 251) as u8).collect();
        let (counters, came) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut came = Vec::new();
                listener
                    .accept()
                    .expect("it has connected")
                    .0
                    .read_to_end(&mut came)
                    .expect("an orderly end");
                came
            });
            let counters = pair.run("a", || async {
                let stream = connected(way, port).await;
                let mut paced =
                    PacedSocket::tcp(stream, traffic(rate), Excess::Shape).expect("sound traffic");
                paced.write_all(&sent).await.expect("it is open");
                paced.shutdown().await.expect("it is open");
                paced.counters()
            });
            (counters, reader.join().expect("it ends"))
        });
        assert!(came == sent, "{way:?}: {} of {octets}", came.len());
        let data = |packets: &[Packet]| -> Vec<Packet> {
            let mut next = 0;
            // What is sent again, should it come to that, is no new data.
            let begins =
                packets.iter().find(|p| p.destination == port && p.has(SYN)).map_or(0, |p| p.sequence);
            let is_new = |p: &&Packet| {
                let ends = u64::from(p.sequence.wrapping_sub(begins)) + p.data_length;
                let is_new = p.destination == port && p.data_length > 0 && ends > next;
                next = if is_new { ends } else { next };
                is_new
            };
            packets.iter().filter(is_new).cloned().collect()
        };
        let total = |packets: &[Packet]| packets.iter().map(|packet| packet.data_length).sum::<u64>();
        let seen = pair.seen("all of the data", |packets| total(&data(packets)) >= octets);
        let data = data(&seen);
        assert!(data.iter().all(|packet| packet.length <= 1500 && packet.dscp() == 34), "{way:?}");
        assert!(fits(&data, rate, BUCKET + 1500, 64), "{way:?}");
        let on_the_wire: u64 = data.iter().map(|packet| packet.length).sum();
        assert!(on_the_wire <= counters.sent.octets, "{way:?}: {on_the_wire} {counters:?}");
        assert!(counters.delayed.packets > 0 && counters.discarded.packets == 0, "{way:?}: {counters:?}");
    }
}

/// Neither a mark per segment nor a gap in a stream can be had.
#[test]
fn a_stream_is_shaped_and_nothing_else() {
    let Some(pair) = Pair::new("TCP that is not shaped") else { return };
    let (_listener, port) = listener(&pair);
    let way = Way { bind: "", to: "fd00:1::2", client: "[::]:0" };
    for excess in [Excess::DEMOTE, Excess::Demote(Dscp::CS1), Excess::Discard] {
        let error = pair.run("a", || async move {
            let stream = connected(way, port).await;
            PacedSocket::tcp(stream, traffic(125_000), excess).expect_err("it cannot be had")
        });
        assert!(matches!(error, PaceError::Stream) && error.to_string().contains("segments"), "{error}");
    }
    let error = pair.run("a", || async move {
        let small = Traffic { max_packet: 72, ..traffic(125_000) };
        PacedSocket::tcp(connected(way, port).await, small, Excess::Shape).expect_err("headers alone")
    });
    assert!(matches!(error, PaceError::Sizes { max: 72, .. }), "{error}");
}
