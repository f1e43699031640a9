//! The programs in the kernel, and what they go by: loaded once, with privileges; attached and detached without.

use super::HookError;
use super::cgroup::Cgroup;
use crate::data_plane::bpf::{chain, of_system};
use aya::maps::{Array, HashMap, MapData, RingBuf, SkStorage};
use aya::programs::cgroup_sock::CgroupSockLinkId;
use aya::programs::cgroup_sock_addr::CgroupSockAddrLinkId;
use aya::programs::{CgroupAttachMode, CgroupSock, CgroupSockAddr, Program};
use aya::{Ebpf, EbpfLoader};
use std::error::Error;
use std::io;
use std::os::fd::BorrowedFd;

/// The programs, built by `bpf/build.sh`, aligned as a reader of their sections wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../bpf/hooks.bpf.o");

const RELEASE: &str = "rsvp_release";
const CONNECTS: [&str; 2] = ["rsvp_connect4", "rsvp_connect6"];
/// Sockets that there is room for; `bpf/hooks.h` has the same, and a ring that is large enough.
pub(super) const MOST_WATCHED: usize = 8192;
/// Places of the counters of what was not told.
const COUNTERS: [u32; 2] = [1, 2];

/// The programs, and where they are attached.
pub(super) struct Programs {
    cgroup: Cgroup,
    /// The marks of sockets.
    sockets: SkStorage<MapData, u64>,
    /// The cookies of those that are told of.
    watched: HashMap<MapData, u64, u32>,
    untold: Array<MapData, u64>,
    release: Option<CgroupSockLinkId>,
    connects: Vec<(&'static str, CgroupSockAddrLinkId)>,
    ebpf: Ebpf,
}

impl Programs {
    /// Loads them into the kernel, and attaches nothing. Needs `CAP_BPF` and `CAP_NET_ADMIN`.
    pub(super) fn load(cgroup: Cgroup) -> Result<(Self, RingBuf<MapData>), HookError> {
        let mut ebpf = EbpfLoader::new().btf(None).load(OBJECT).map_err(|error| of_loading(&error))?;
        let mut map = |name: &str| ebpf.take_map(name).ok_or_else(incomplete);
        let sockets = SkStorage::try_from(map("sockets")?).map_err(|error| of_loading(&error))?;
        let watched = HashMap::try_from(map("watched")?).map_err(|error| of_loading(&error))?;
        let untold = Array::try_from(map("untold")?).map_err(|error| of_loading(&error))?;
        let ring = RingBuf::try_from(map("ring")?).map_err(|error| of_loading(&error))?;
        let mut this = Self { cgroup, sockets, watched, untold, release: None, connects: Vec::new(), ebpf };
        this.release_program()?.load().map_err(|error| of_loading(&error))?;
        for name in CONNECTS {
            this.connect_program(name)?.load().map_err(|error| of_loading(&error))?;
        }
        Ok((this, ring))
    }

    fn program(&mut self, name: &str) -> Result<&mut Program, HookError> {
        self.ebpf.program_mut(name).ok_or_else(incomplete)
    }

    fn release_program(&mut self) -> Result<&mut CgroupSock, HookError> {
        self.program(RELEASE)?.try_into().map_err(|_| incomplete())
    }

    fn connect_program(&mut self, name: &str) -> Result<&mut CgroupSockAddr, HookError> {
        self.program(name)?.try_into().map_err(|_| incomplete())
    }

    pub(super) const fn is_attached(&self) -> bool {
        self.release.is_some()
    }

    /// Attaches all of them, or none. What they hang by is held by this process alone and goes with it, however it ends.
    pub(super) fn attach(&mut self) -> Result<(), HookError> {
        if self.is_attached() {
            return Ok(());
        }
        let folder = self.cgroup.folder.try_clone().map_err(|error| self.refused(error))?;
        // A link leaves those of others in place, and is left in place by them.
        let done = self.attach_connects(&folder).and_then(|()| {
            self.release_program()?
                .attach(&folder, CgroupAttachMode::Single)
                .map_err(|e| self.not_attached(&e))
        });
        match done {
            Ok(link) => {
                self.release = Some(link);
                Ok(())
            }
            Err(why) => {
                self.detach();
                Err(why)
            }
        }
    }

    fn attach_connects(&mut self, folder: &std::fs::File) -> Result<(), HookError> {
        for name in CONNECTS {
            let link = self.connect_program(name)?.attach(folder, CgroupAttachMode::Single);
            let link = link.map_err(|error| self.not_attached(&error))?;
            self.connects.push((name, link));
        }
        Ok(())
    }

    /// Takes them away from the cgroup.
    pub(super) fn detach(&mut self) {
        let mut failed = None;
        for (name, link) in core::mem::take(&mut self.connects) {
            failed =
                self.connect_program(name).ok().and_then(|program| program.detach(link).err()).or(failed);
        }
        if let Some(link) = self.release.take() {
            failed = self.release_program().ok().and_then(|program| program.detach(link).err()).or(failed);
        }
        if let Some(error) = failed {
            tracing::warn!("programs stay at the cgroup {}: {}", self.cgroup.path.display(), chain(&error));
        }
    }

    /// Has the programs know a socket, by a descriptor of it.
    pub(super) fn mark(&mut self, socket: BorrowedFd<'_>, cookie: u64) -> Result<(), HookError> {
        self.sockets.insert(&socket, cookie, 0).map_err(|error| of_map(&error))?;
        self.watched.insert(cookie, 0, 0).map_err(|error| of_map(&error))
    }

    /// They tell of it no more. It may have been released meanwhile, which is the same.
    pub(super) fn forget(&mut self, cookie: u64) {
        let _ = self.watched.remove(&cookie);
    }

    /// How often there was no room to tell: of a release, of a connect.
    pub(super) fn untold(&self) -> [u64; 2] {
        COUNTERS.map(|kind| self.untold.get(&kind, 0).unwrap_or_default())
    }

    fn not_attached(&self, error: &(dyn Error + 'static)) -> HookError {
        self.refused(of_system(error).unwrap_or_else(|| io::Error::other(chain(error))))
    }

    fn refused(&self, error: io::Error) -> HookError {
        let path = self.cgroup.path.clone();
        if error.raw_os_error() == Some(libc::E2BIG) {
            HookError::Full(path)
        } else {
            HookError::Attach(path, error)
        }
    }
}

fn of_loading(error: &(dyn Error + 'static)) -> HookError {
    let said = of_system(error);
    match said {
        Some(said) if matches!(said.raw_os_error(), Some(libc::EPERM | libc::EACCES)) => {
            HookError::NotAllowed(said)
        }
        // The first line alone: a verifier explains itself at length.
        _ => HookError::Kernel(chain(error)),
    }
}

fn of_map(error: &(dyn Error + 'static)) -> HookError {
    HookError::Mark(of_system(error).unwrap_or_else(|| io::Error::other(chain(error))))
}

fn incomplete() -> HookError {
    HookError::Kernel("the object does not have what it should".to_owned())
}
