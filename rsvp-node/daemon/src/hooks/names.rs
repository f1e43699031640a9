//! The names of sockets that no descriptor is kept of, from the kernel's listing (sock_diag(7)).
//!
//! A hook sees a `connect` before it is done: which address and port the socket has then, and whether it has come to that at all, is
//! asked for afterwards. Needs no privilege.

use netlink_sys::{Socket, SocketAddr as NetlinkAddress, protocols::NETLINK_SOCK_DIAG};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
/// Octets of `struct nlmsghdr`, of `struct inet_diag_req_v2` and of `struct inet_diag_msg`.
const HEADER: usize = 16;
const REQUEST: usize = 56;
const ANSWER: usize = 72;
/// The protocol that has `INET_DIAG_INFO`.
const TCP: u8 = 6;
const INFO: u16 = 2;
/// The state of a TCP socket that waits for its peer's answer.
const SYN_SENT: u8 = 2;
/// A piece of a listing is this long at most.
const READ: usize = 32 * 1024;

/// A socket as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) cookie: u64,
    /// Its peer has not answered yet.
    pub(super) is_connecting: bool,
    pub(super) local: Option<SocketAddr>,
    pub(super) peer: Option<SocketAddr>,
}

/// Asks for listings.
pub(crate) struct SocketNames {
    socket: Socket,
    sequence: u32,
}

impl SocketNames {
    /// In the network namespace of this thread.
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind_auto()?;
        socket.connect(&NetlinkAddress::new(0, 0))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Sockets of a protocol, with a peer's port or, with 0, any: those that are wanted. A socket that is neither bound nor
    /// connected is not listed.
    pub(crate) fn list(
        &mut self,
        protocol: u8,
        port: u16,
        is_wanted: impl Fn(u64) -> bool,
    ) -> io::Result<Vec<Listed>> {
        let mut found = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            self.list_family(family as u8, protocol, port, |listed| {
                found.extend(Some(listed).filter(|listed| is_wanted(listed.cookie)));
            })?;
        }
        Ok(found)
    }

    /// `struct tcp_info` of a connection to a port, by its cookie.
    pub(crate) fn tcp_info(&mut self, port: u16, cookie: u64) -> io::Result<Option<Vec<u8>>> {
        let mut info = None;
        for family in [libc::AF_INET, libc::AF_INET6] {
            self.ask(family as u8, TCP, INFO, port, |body| {
                if read(body).is_some_and(|listed| listed.cookie == cookie) {
                    info = attribute(body.get(ANSWER..).unwrap_or_default(), INFO).map(<[u8]>::to_vec);
                }
            })?;
        }
        Ok(info)
    }

    fn list_family(
        &mut self,
        family: u8,
        protocol: u8,
        port: u16,
        mut found: impl FnMut(Listed),
    ) -> io::Result<()> {
        self.ask(family, protocol, 0, port, |body| read(body).into_iter().for_each(&mut found))
    }

    /// The bodies of an answer, with one attribute more if that is not 0.
    fn ask(
        &mut self,
        family: u8,
        protocol: u8,
        more: u16,
        port: u16,
        mut found: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send(&request(family, protocol, more, port, self.sequence), 0)?;
        let mut buffer = Vec::with_capacity(READ);
        loop {
            buffer.clear();
            self.socket.recv(&mut buffer, 0)?;
            for (kind, sequence, body) in messages(&buffer) {
                if sequence != self.sequence {
                    continue;
                }
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => return Err(error(body)),
                    _ => found(body),
                }
            }
        }
    }
}

fn request(family: u8, protocol: u8, more: u16, port: u16, sequence: u32) -> Vec<u8> {
    let length = (HEADER + REQUEST) as u32;
    let mut octets = length.to_ne_bytes().to_vec();
    octets.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    octets.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    octets.extend(sequence.to_ne_bytes());
    octets.extend([0; 4]);
    // In every state; attributes are asked for by bits, the first for number 1.
    let more = if more == 0 { 0 } else { 1 << (more - 1) };
    octets.extend([family, protocol, more, 0, 0xff, 0xff, 0xff, 0xff]);
    // The own port, and the peer's.
    octets.extend([0, 0]);
    octets.extend(port.to_be_bytes());
    octets.resize(HEADER + REQUEST, 0);
    octets
}

/// The messages in a piece of an answer: kind, sequence number, and what is behind the header.
fn messages(mut octets: &[u8]) -> impl Iterator<Item = (u16, u32, &[u8])> {
    std::iter::from_fn(move || {
        let length = word(octets, 0)? as usize;
        let message = octets.get(..length).filter(|_| length >= HEADER)?;
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
        let kind = u16::from_ne_bytes(message.get(4..6)?.try_into().ok()?);
        Some((kind, word(message, 8)?, &message[HEADER..]))
    })
}

/// The value of an attribute (`struct nlattr`: its length with this header, its number).
fn attribute(mut octets: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let front = word(octets, 0)?.to_ne_bytes();
        let length = usize::from(u16::from_ne_bytes([front[0], front[1]]));
        let whole = octets.get(..length).filter(|whole| whole.len() >= 4)?;
        if u16::from_ne_bytes([front[2], front[3]]) == wanted {
            return Some(&whole[4..]);
        }
        octets = octets.get(length.next_multiple_of(4)..)?;
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

fn error(body: &[u8]) -> io::Error {
    io::Error::from_raw_os_error(word(body, 0).map_or(libc::EIO, |code| (code as i32).wrapping_neg()))
}

/// `struct inet_diag_msg`: family, state, two more; ports, addresses, interface and cookie of the socket.
fn read(body: &[u8]) -> Option<Listed> {
    let body: &[u8; ANSWER] = body.get(..ANSWER)?.try_into().ok()?;
    let name = |port: usize, address: usize| {
        let port = u16::from_be_bytes([body[port], body[port + 1]]);
        let address = match i32::from(body[0]) {
            libc::AF_INET => {
                IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&body[address..address + 4]).ok()?))
            }
            _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(&body[address..address + 16]).ok()?)),
        };
        // A port of zero is none.
        (port != 0).then_some(SocketAddr::new(address, port))
    };
    let cookie = u64::from(word(body, 44)?) | u64::from(word(body, 48)?) << 32;
    Some(Listed { cookie, is_connecting: body[1] == SYN_SENT, local: name(4, 8), peer: name(6, 24) })
}

#[cfg(test)]
mod tests {
    use super::SocketNames;
    use socket2::SockRef;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    fn cookie(socket: &impl std::os::fd::AsFd) -> u64 {
        SockRef::from(socket).cookie().expect("a cookie")
    }

    #[test]
    fn the_kernel_lists_sockets_by_their_cookies() {
        let mut names = SocketNames::open().expect("a socket");
        let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let to = peer.local_addr().expect("a name");
        let udp = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let own = cookie(&udp);
        let before = names.list(17, 0, |cookie| cookie == own).expect("a listing");
        assert_eq!((before.len(), before[0].peer), (1, None));
        udp.connect(to).expect("connected");
        let after = names.list(17, to.port(), |cookie| cookie == own).expect("a listing");
        assert_eq!((after[0].local, after[0].peer), (udp.local_addr().ok(), Some(to)));
        assert!(names.list(17, to.port(), |cookie| cookie == own + 1).expect("a listing").is_empty());
        let listener = TcpListener::bind("[::1]:0").expect("a listener");
        let to = listener.local_addr().expect("a name");
        let tcp = TcpStream::connect(to).expect("a connection");
        let own = cookie(&tcp);
        let found = names.list(6, to.port(), |cookie| cookie == own).expect("a listing");
        assert_eq!((found[0].local, found[0].peer), (tcp.local_addr().ok(), Some(to)));
        assert!(!found[0].is_connecting);
    }
}
