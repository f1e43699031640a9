//! What the programs tell of a socket, as it lies in the ring: `struct news` of `bpf/hooks.h`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The last descriptor of the socket with this cookie is closed.
    Released(u64),
    /// It is about to be connected, if nothing comes between.
    Connects { cookie: u64, protocol: u8, to: SocketAddr },
}

/// Octets of one.
const LENGTH: usize = 8 + 4 * 2 + 4 * 4;
const RELEASED: u16 = 1;
const CONNECTS: u16 = 2;

/// Reads one; nothing of a kind that is not known here.
pub(super) fn read(octets: &[u8]) -> Option<News> {
    let octets: &[u8; LENGTH] = octets.get(..LENGTH)?.try_into().ok()?;
    let half = |at: usize| [octets[at], octets[at + 1]];
    let cookie = u64::from_ne_bytes(octets[..8].try_into().ok()?);
    match u16::from_ne_bytes(half(8)) {
        RELEASED => Some(News::Released(cookie)),
        CONNECTS => {
            let address = match i32::from(u16::from_ne_bytes(half(10))) {
                libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&octets[16..20]).ok()?)),
                libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(&octets[16..]).ok()?)),
                _ => return None,
            };
            let to = SocketAddr::new(address, u16::from_be_bytes(half(12)));
            let protocol = u8::try_from(u16::from_ne_bytes(half(14))).ok()?;
            Some(News::Connects { cookie, protocol, to })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{News, read};

    /// By hand, from the figure in `bpf/hooks.h`.
    fn octets(kind: u16, family: u16, address: [u8; 16]) -> Vec<u8> {
        let mut octets = 77u64.to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.extend(family.to_ne_bytes());
        octets.extend([0x13, 0x88]);
        octets.extend(17u16.to_ne_bytes());
        octets.extend(address);
        octets
    }

    #[test]
    fn news_are_read_and_what_is_none_is_passed_over() {
        let v4 = [10, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let v6 = [0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        let connects =
            |to: &str| News::Connects { cookie: 77, protocol: 17, to: to.parse().expect("a name") };
        assert_eq!(read(&octets(1, 0, [0; 16])), Some(News::Released(77)));
        assert_eq!(read(&octets(2, 2, v4)), Some(connects("10.0.1.2:5000")));
        assert_eq!(read(&octets(2, 10, v6)), Some(connects("[fd00:1::2]:5000")));
        assert_eq!(read(&octets(2, 1, v4)), None, "a family without ports");
        assert_eq!(read(&octets(9, 2, v4)), None, "of a later kind");
        assert_eq!(read(&octets(2, 2, v4)[..31]), None, "cut short");
    }
}
