//! Paths of 64 kB: what of them is not kept takes no memory, and what is kept has bounds.

use super::beside::{Beside, EACH, neighbour, until_heard};
use super::packets::{ACCOMPLICE, ATTACKER, Path, object};
use super::{CONFIG, Ground};
use socket2::Socket;
use std::time::Duration;

/// Octets of padding that fit into one packet, in two objects or in those of eight octets.
const ROOM: usize = 65_400;

/// Messages in one round, and rounds.
const AT_ONCE: u32 = 10;
const ROUNDS: u32 = 30;

/// Octets of this class that fill a message, in objects of so many octets.
fn filling(class: u8, each: usize) -> Vec<Vec<u8>> {
    let ctype = u8::from(class != 0);
    vec![object(class, ctype, &vec![7; each - 4]); ROOM / each]
}

/// A Path in a session of its own, with a header of the kernel's, which makes fragments of it.
fn send_path(socket: &Socket, n: u32, more: Vec<Vec<u8>>) {
    let path = Path { more, ..Path::to_accomplice(1 + u16::try_from(n).expect("a port")) };
    let to = std::net::SocketAddr::from((ACCOMPLICE, 0));
    socket.send_to(&path.octets(), &to.into()).expect("it is sent");
}

/// What is ignored (RFC 2205 section 3.10), and NULL objects (Appendix A), are nobody's state: 300 Paths of 64 kB are 19 MB on the
/// link, and nothing of it stays but what the Paths say.
#[test]
fn what_is_ignored_of_large_paths_is_not_kept() {
    let Some(mut ground) = Ground::with_accomplice("ignored padding", 0) else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    let socket = ground.plain("x", true);
    let mut watch = ground.net.client("r");
    let (mut sent, mut worst) = (0, Duration::ZERO);
    beside.holds(&ground, ROUNDS, |round| {
        let class = [0, 0x80, 0xb0][round as usize % 3];
        let each = [8, 32_700][round as usize / 3 % 2];
        for _ in 0..AT_ONCE {
            send_path(&socket, sent, filling(class, each));
            sent += 1;
            // One after the other: the kernel has no room for many of them.
            until_heard(&mut watch, "to-x", &ATTACKER.to_string(), sent.into());
        }
    });
    for _ in 0..8 {
        let before = ground.cpu();
        send_path(&socket, sent, filling(0x80, 8));
        sent += 1;
        until_heard(&mut watch, "to-x", &ATTACKER.to_string(), sent.into());
        worst = worst.max(ground.cpu() - before);
    }
    println!("a Path of 8,175 objects to ignore: {worst:?} at most");
    assert!(worst < EACH, "{worst:?}");
    let row = neighbour(&mut beside.r, "to-x", &ATTACKER.to_string());
    let [octets, states] = ["octets", "states"].map(|what| row[what].as_u64().expect("a number"));
    assert_eq!(states, u64::from(sent), "{row}");
    assert!(octets < states * 1_024, "{row}");
    let grown = beside.is_bounded(&ground);
    assert!(grown < 8 << 20, "{grown} octets");
    // It asks for no more than it may have, and nothing is said of it.
    assert!(!ground.net.log("r").contains("a neighbour"), "{}", ground.net.log("r"));
}

/// What is forwarded has to be kept: 4,096 octets of a message at the most, and of a neighbour what is its own and nobody's.
#[test]
fn what_is_forwarded_of_large_paths_is_bounded_and_who_sends_it_is_named() {
    let Some(mut ground) = Ground::with_accomplice("forwarded padding", 0) else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    let socket = ground.plain("x", true);
    let mut watch = ground.net.client("r");
    let mut sent = 0;
    let kept = vec![object(0xc0, 1, &[7; 4_084])];
    beside.holds(&ground, ROUNDS, |round| {
        for n in 0..10 * AT_ONCE {
            // Each tenth is too large by itself.
            let more =
                if n % 10 == 9 { filling(0xc0, [8, 32_700][round as usize % 2]) } else { kept.clone() };
            send_path(&socket, sent, more);
            sent += 1;
            if n % 10 == 9 {
                until_heard(&mut watch, "to-x", &ATTACKER.to_string(), sent.into());
            }
        }
    });
    let x = ATTACKER.to_string();
    let named = ("to-x", &*x);
    let says = "asks for more than a limit allows";
    let too_large = beside.names(&ground, named, "forwarded-octets", says);
    assert_eq!(too_large, u64::from(sent / 10));
    let refused = beside.names(&ground, named, "state-octets", says);
    let row = neighbour(&mut beside.r, "to-x", &x);
    let states = row["states"].as_u64().expect("a number");
    assert_eq!(states + too_large + refused, u64::from(sent), "{row}");
    beside.is_bounded(&ground);
}
