//! System calls that no crate wraps safely: batches of datagrams with their control messages, socket options without
//! a name in `socket2`, descriptors that come over a UNIX socket, and the speed of a link. The only module of the workspace's libraries with `unsafe`.
//!
//! Every pointer handed to the kernel points into memory that a local variable or `&mut self` owns until the call
//! returns; no pointer is kept. What to do with packets and options is deliberately the business of `socket`.
#![allow(unsafe_code, reason = "system calls without a safe wrapper; see the module's documentation")]

use super::packet::Parcel;
pub(super) use super::received::{Datagram, WithDescriptors};
use libc::{c_int, c_void};
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Datagrams in one system call.
pub(super) const BATCH: usize = 64;
/// The largest IP datagram.
const DATAGRAM: usize = 65_536;
/// Room for the control messages of one datagram, in words.
const CONTROL: usize = 32;

/// IPv4's Router Alert option (RFC 2113): "routers shall examine".
const ROUTER_ALERT_V4: [u8; 4] = [148, 4, 0, 0];
/// IPv6's hop-by-hop header with the Router Alert option "datagram contains RSVP" (RFC 2711), padded.
const ROUTER_ALERT_V6: [u8; 8] = [0, 0, 5, 2, 0, 1, 1, 0];

/// Sets a socket option that no crate has a name for.
///
/// # Errors
/// What the kernel says.
pub fn set_option(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    let length = value.len() as libc::socklen_t;
    // SAFETY: the pointer and the length are those of a live slice that the kernel only reads.
    let done = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), length) };
    checked(done).map(|_| ())
}

/// Gives the kernel the memory that was freed, where the C library is one that keeps it.
pub(super) fn give_memory_back() {
    // SAFETY: it takes no pointer, and any thread may call it at any time.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
}

/// How many datagrams the kernel dropped because this socket's buffer was full (what `SO_RXQ_OVFL` reports along with
/// the next datagram, asked for directly and so exact at any time).
///
/// # Errors
/// What the kernel says.
pub fn dropped(fd: BorrowedFd<'_>) -> io::Result<u32> {
    const SO_MEMINFO: c_int = 55;
    const SK_MEMINFO_DROPS: usize = 8;
    let mut values = [0u32; 16];
    let mut length = mem::size_of_val(&values) as libc::socklen_t;
    // SAFETY: pointer and length are those of `values`, into which the kernel writes at most that much.
    let done = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    checked(done).map(|_| values[SK_MEMINFO_DROPS])
}

/// What tells the network namespace of a socket from all others (`SO_NETNS_COOKIE`).
pub(super) fn namespace_cookie(fd: BorrowedFd<'_>) -> io::Result<u64> {
    const SO_NETNS_COOKIE: c_int = 71;
    let mut cookie = 0u64;
    let mut length = mem::size_of_val(&cookie) as libc::socklen_t;
    // SAFETY: pointer and length are those of `cookie`, into which the kernel writes at most that much.
    let done = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    checked(done).map(|_| cookie)
}

/// The supplementary groups of the process at the other end of a UNIX socket, as they were when it connected (`SO_PEERGROUPS`).
pub(super) fn peer_groups(fd: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    const SO_PEERGROUPS: c_int = 59;
    let mut groups = vec![0u32; 64];
    loop {
        let mut length = mem::size_of_val(&groups[..]) as libc::socklen_t;
        // SAFETY: pointer and length are those of `groups`, into which the kernel writes at most that much.
        let done = unsafe {
            libc::getsockopt(
                fd.as_raw_fd(),
                libc::SOL_SOCKET,
                SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = length as usize / mem::size_of::<u32>();
        match checked(done) {
            Ok(_) => {
                groups.truncate(count);
                return Ok(groups);
            }
            // It says how many there are when they do not fit.
            Err(error) if error.raw_os_error() == Some(libc::ERANGE) && count > groups.len() => {
                groups.resize(count, 0);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Link speed in bits per second; `None` when the driver does not know it.
pub(super) fn link_speed_bps(fd: BorrowedFd<'_>, name: &str) -> Option<u64> {
    const SIOCETHTOOL: libc::c_ulong = 0x8946;
    const ETHTOOL_GSET: u32 = 1;
    /// The front of `struct ethtool_cmd`; the whole has eleven words.
    const WORDS: usize = 11;
    let mut command = [0u32; WORDS];
    command[0] = ETHTOOL_GSET;
    // SAFETY: `ifreq` is plain data, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return None;
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = command.as_mut_ptr().cast();
    // SAFETY: the request points to `command`, as large as the structure that this ethtool command fills in.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
    checked(done).ok()?;
    // speed is the 16 bits after three words, speed_hi the first 16 of the eighth word.
    let low = u16::from_ne_bytes([command[3].to_ne_bytes()[0], command[3].to_ne_bytes()[1]]);
    let high = u16::from_ne_bytes([command[7].to_ne_bytes()[0], command[7].to_ne_bytes()[1]]);
    let mbit = u32::from(high) << 16 | u32::from(low);
    (mbit != 0 && mbit != u32::MAX && mbit != u32::from(u16::MAX)).then(|| u64::from(mbit) * 1_000_000)
}

/// Forbids this process and its children to gain privileges.
pub(super) fn set_no_new_privileges() -> io::Result<()> {
    // SAFETY: plain integers.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).map(|_| ())
}

/// Types that own a descriptor which stays the same and open as long as they live.
pub(super) trait OwnsDescriptor: AsRawFd {}

impl OwnsDescriptor for socket2::Socket {}
impl OwnsDescriptor for super::monitor::Notices {}
impl OwnsDescriptor for super::hooks::Ring {}
impl OwnsDescriptor for super::policies::Queue {}
impl OwnsDescriptor for super::queues::Waiting {}
impl OwnsDescriptor for super::driver::Timer {}

/// Has the runtime around the caller watch a descriptor.
pub(super) fn watch<T: OwnsDescriptor>(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: `OwnsDescriptor` says what this function asks for.
    unsafe { AsyncFd::register_with_interest(inner, interest) }.map_err(io::Error::from)
}

/// Receives what is there, without waiting, with at most `MOST` descriptors, of which there is room for 64.
pub(super) fn receive_descriptors<const MOST: usize>(
    fd: BorrowedFd<'_>,
    octets: &mut [u8],
) -> io::Result<WithDescriptors> {
    let mut control = [0u64; CONTROL + 4];
    let mut vector = libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() };
    // SAFETY: `msghdr` is plain data, for which all zeroes is a value; CMSG_SPACE is arithmetic.
    let (mut header, room): (libc::msghdr, _) =
        unsafe { (mem::zeroed(), libc::CMSG_SPACE((MOST * mem::size_of::<c_int>()) as u32) as usize) };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = room.min(mem::size_of_val(&control)) as _;
    // SAFETY: the header points to `octets` and `control`, which outlive the call, with at most their true lengths.
    let got = checked(unsafe {
        libc::recvmsg(fd.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC) as c_int
    })?;
    let mut descriptors = Vec::new();
    // SAFETY: the kernel has filled in `control` and its length, and the macros stay within it. Each descriptor of such a
    // message is a new one that nobody else has, and is taken once.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            if ((*message).cmsg_level, (*message).cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let octets = (*message).cmsg_len - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(message).cast::<c_int>();
                for nth in 0..octets / mem::size_of::<c_int>() {
                    descriptors.push(OwnedFd::from_raw_fd(data.add(nth).read_unaligned()));
                }
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
    }
    let were_cut = header.msg_flags & libc::MSG_CTRUNC != 0;
    Ok(WithDescriptors { octets: got as usize, descriptors, were_cut })
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Memory for a batch of received datagrams.
pub(super) struct Inbox {
    octets: Vec<u8>,
    control: Vec<[u64; CONTROL]>,
    from: Vec<libc::sockaddr_storage>,
    /// Lengths of octets and control messages of what arrived last.
    arrived: Vec<(usize, usize)>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        // SAFETY: `sockaddr_storage` is plain data, for which all zeroes is a value.
        let nowhere: libc::sockaddr_storage = unsafe { mem::zeroed() };
        Self {
            octets: vec![0; BATCH * DATAGRAM],
            control: vec![[0; CONTROL]; BATCH],
            from: vec![nowhere; BATCH],
            arrived: Vec::with_capacity(BATCH),
        }
    }

    /// Receives what is there, up to a batch, without waiting. Returns how many datagrams.
    pub(super) fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        self.arrived.clear();
        let mut vectors: Vec<libc::iovec> = self
            .octets
            .chunks_exact_mut(DATAGRAM)
            .map(|room| libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: DATAGRAM })
            .collect();
        let rooms = vectors.iter_mut().zip(&mut self.control).zip(&mut self.from);
        let mut headers: Vec<libc::mmsghdr> = rooms
            .map(|((vector, control), from)| {
                // SAFETY: `mmsghdr` is plain data, for which all zeroes is a value.
                let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
                header.msg_hdr.msg_name = (&raw mut *from).cast();
                header.msg_hdr.msg_namelen = mem::size_of_val(from) as libc::socklen_t;
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = control.as_mut_ptr().cast();
                header.msg_hdr.msg_controllen = mem::size_of_val(control) as _;
                header
            })
            .collect();
        // SAFETY: the headers point into `self` and `vectors`, which outlive the call, with their true lengths.
        let count = checked(unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as _,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        })?;
        let done = headers.iter().take(count as usize);
        self.arrived.extend(done.map(|h| (h.msg_len as usize, h.msg_hdr.msg_controllen)));
        Ok(self.arrived.len())
    }

    /// One of the datagrams that arrived last.
    pub(super) fn datagram(&self, n: usize) -> Datagram<'_> {
        let (length, control_length) = self.arrived[n];
        let at = n * DATAGRAM;
        let mut datagram = Datagram {
            octets: &self.octets[at..at + length],
            source: address(&self.from[n]),
            interface: None,
            destination: None,
            hop_limit: None,
            port: port(&self.from[n]),
            came: None,
        };
        read_control(&self.control[n], control_length, &mut datagram);
        datagram
    }
}

fn address(from: &libc::sockaddr_storage) -> IpAddr {
    match c_int::from(from.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which kind of address it is; the storage is large enough for, and aligned as, any.
            let from = unsafe { &*(&raw const *from).cast::<libc::sockaddr_in>() };
            IpAddr::V4(Ipv4Addr::from(from.sin_addr.s_addr.to_ne_bytes()))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let from = unsafe { &*(&raw const *from).cast::<libc::sockaddr_in6>() };
            IpAddr::V6(Ipv6Addr::from(from.sin6_addr.s6_addr))
        }
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

/// The port of a name, which both families have at the same place.
fn port(from: &libc::sockaddr_storage) -> u16 {
    // SAFETY: the storage is large enough for, and aligned as, any kind of address; all zeroes is a name of no family.
    u16::from_be(unsafe { &*(&raw const *from).cast::<libc::sockaddr_in>() }.sin_port)
}

fn read_control(control: &[u64; CONTROL], length: usize, into: &mut Datagram<'_>) {
    // SAFETY: `msghdr` is plain data, for which all zeroes is a value.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_control = control.as_ptr().cast_mut().cast();
    header.msg_controllen = length.min(mem::size_of_val(control)) as _;
    // SAFETY: the header describes `control`, filled in by the kernel up to `length`; the macros stay within it, and
    // data is read unaligned, of the type that level and type say.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    into.interface = u32::try_from(info.ipi_ifindex).ok();
                    into.destination = Some(IpAddr::V4(info.ipi_addr.s_addr.to_ne_bytes().into()));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    into.interface = Some(info.ipi6_ifindex);
                    into.destination = Some(IpAddr::V6(info.ipi6_addr.s6_addr.into()));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                    into.hop_limit = u8::try_from(data.cast::<c_int>().read_unaligned()).ok();
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time = data.cast::<libc::timespec>().read_unaligned();
                    into.came = Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32));
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
    }
}

/// Sends datagrams without waiting, up to a batch. Returns how many left; an error is that of the first.
pub(super) fn send(fd: BorrowedFd<'_>, parcels: &[Parcel<'_>]) -> io::Result<usize> {
    let parcels = &parcels[..parcels.len().min(BATCH)];
    let mut controls = vec![[0u64; CONTROL]; parcels.len()];
    let mut names: Vec<libc::sockaddr_storage> = parcels.iter().map(name).collect();
    let mut vectors: Vec<libc::iovec> = parcels
        .iter()
        .map(|p| libc::iovec { iov_base: p.octets.as_ptr().cast_mut().cast(), iov_len: p.octets.len() })
        .collect();
    let rooms = vectors.iter_mut().zip(&mut names).zip(&mut controls);
    let mut headers: Vec<libc::mmsghdr> = rooms
        .zip(parcels)
        .map(|(((vector, name), control), parcel)| {
            // SAFETY: `mmsghdr` is plain data, for which all zeroes is a value.
            let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_namelen = match parcel.destination {
                IpAddr::V4(_) => mem::size_of::<libc::sockaddr_in>(),
                IpAddr::V6(_) => mem::size_of::<libc::sockaddr_in6>(),
            } as libc::socklen_t;
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_controllen = write_control(control, parcel) as _;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header
        })
        .collect();
    // SAFETY: the headers point into `parcels`, `names`, `vectors` and `controls`, which outlive the call, with their
    // true lengths; the kernel only reads what they point to.
    let sent = checked(unsafe {
        libc::sendmmsg(
            fd.as_raw_fd(),
            headers.as_mut_ptr(),
            headers.len() as _,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    })?;
    Ok(sent as usize)
}

fn name(parcel: &Parcel<'_>) -> libc::sockaddr_storage {
    // SAFETY: `sockaddr_storage` is plain data, for which all zeroes is a value.
    let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
    // Raw sockets want none.
    let port = parcel.port.unwrap_or_default();
    match parcel.destination {
        IpAddr::V4(to) => {
            // SAFETY: the storage is large enough for, and aligned as, any kind of address.
            let name = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
            name.sin_family = libc::AF_INET as _;
            name.sin_port = port.to_be();
            name.sin_addr.s_addr = u32::from_ne_bytes(to.octets());
        }
        IpAddr::V6(to) => {
            // SAFETY: as above.
            let name = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
            name.sin6_family = libc::AF_INET6 as _;
            name.sin6_port = port.to_be();
            name.sin6_addr.s6_addr = to.octets();
            // Link-local and multicast addresses mean something on one interface only.
            name.sin6_scope_id = parcel.interface;
        }
    }
    storage
}

/// Writes source, interface, TTL and Router Alert of one message; returns the length.
fn write_control(control: &mut [u64; CONTROL], parcel: &Parcel<'_>) -> usize {
    let mut writer = ControlWriter { control, length: 0 };
    let ttl = c_int::from(parcel.ttl).to_ne_bytes();
    match parcel.source {
        IpAddr::V4(source) => {
            let mut info = [0u8; mem::size_of::<libc::in_pktinfo>()];
            info[..4].copy_from_slice(&parcel.interface.to_ne_bytes());
            info[4..8].copy_from_slice(&source.octets());
            writer.put(libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
            writer.put(libc::IPPROTO_IP, libc::IP_TTL, &ttl);
            if parcel.router_alert {
                writer.put(libc::IPPROTO_IP, libc::IP_RETOPTS, &ROUTER_ALERT_V4);
            }
        }
        IpAddr::V6(source) => {
            let mut info = [0u8; mem::size_of::<libc::in6_pktinfo>()];
            info[..16].copy_from_slice(&source.octets());
            info[16..].copy_from_slice(&parcel.interface.to_ne_bytes());
            writer.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
            writer.put(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &ttl);
            if parcel.router_alert {
                writer.put(libc::IPPROTO_IPV6, libc::IPV6_HOPOPTS, &ROUTER_ALERT_V6);
            }
        }
    }
    writer.length
}

struct ControlWriter<'a> {
    control: &'a mut [u64; CONTROL],
    length: usize,
}

impl ControlWriter<'_> {
    fn put(&mut self, level: c_int, kind: c_int, data: &[u8]) {
        let size = data.len() as u32;
        // SAFETY: CMSG_SPACE and CMSG_LEN are arithmetic. The assertion keeps what is written inside `control`, whose
        // words are aligned as a header is; the three messages that are ever written need far less.
        unsafe {
            let space = libc::CMSG_SPACE(size) as usize;
            assert!(self.length + space <= mem::size_of_val(self.control), "control messages fit");
            let at = self.control.as_mut_ptr().cast::<u8>().add(self.length);
            let header = at.cast::<libc::cmsghdr>();
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = libc::CMSG_LEN(size) as _;
            std::ptr::copy_nonoverlapping(
                data.as_ptr().cast::<c_void>(),
                libc::CMSG_DATA(header).cast(),
                data.len(),
            );
            self.length += space;
        }
    }
}
