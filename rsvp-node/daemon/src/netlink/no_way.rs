//! Why the kernel has no way for a packet.

use std::io;
use std::net::IpAddr;

/// There is no route, or there is one, or a rule, of a type that lets nothing go (ip-route(8)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum NoWay {
    NoRoute,
    Unreachable,
    Prohibit,
    Blackhole,
}

impl NoWay {
    /// By the error of a look-up; nothing where that failed for another reason. Questions that the kernel does not take it refuses by the
    /// error that it has for a blackhole.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        Some(match error.raw_os_error()? {
            libc::ENETUNREACH | libc::ENOENT | libc::EXDEV => Self::NoRoute,
            libc::EHOSTUNREACH => Self::Unreachable,
            libc::EACCES => Self::Prohibit,
            libc::EINVAL => Self::Blackhole,
            _ => return None,
        })
    }

    /// For a destination, in words.
    pub(in super::super) fn to(self, destination: IpAddr) -> String {
        let kind = match self {
            Self::NoRoute => return format!("no route to {destination}"),
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Blackhole => "blackhole",
        };
        format!("the way to {destination} is closed by a route or rule of type {kind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_a_look_up_says_what_it_means() {
        let closed =
            |kind: &str| Some(format!("the way to 10.9.9.9 is closed by a route or rule of type {kind}"));
        for (code, words) in [
            (libc::ENETUNREACH, Some("no route to 10.9.9.9".to_owned())),
            (libc::EHOSTUNREACH, closed("unreachable")),
            (libc::EACCES, closed("prohibit")),
            (libc::EINVAL, closed("blackhole")),
            (libc::ENOBUFS, None),
        ] {
            let why = NoWay::of(&io::Error::from_raw_os_error(code));
            assert_eq!(why.map(|why| why.to([10, 9, 9, 9].into())), words, "{code}");
        }
    }
}
