//! Listings of one moment: where something changes while the kernel makes one it says so, and is asked again.

use std::io;

/// In messages of a listing in which something has changed while the kernel made it: there may be some twice in it, and others not.
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;
/// How often such a listing is asked for.
const LISTINGS: usize = 8;

/// A listing of one moment. Where something changes all the time the last counts: of changes the kernel tells those who listen anyway.
pub(crate) fn whole<T>(mut list: impl FnMut() -> io::Result<(T, bool)>) -> io::Result<T> {
    for _ in 1..LISTINGS {
        if let (found, true) = list()? {
            return Ok(found);
        }
    }
    let (found, is_whole) = list()?;
    if !is_whole {
        tracing::debug!("the kernel's listing changes each time while it is made");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_was_disturbed_is_made_again() {
        for (disturbed, made) in [(0, 1), (3, 4), (usize::MAX, LISTINGS)] {
            let mut count = 0;
            let found = whole(|| {
                count += 1;
                Ok((count, count > disturbed))
            });
            assert_eq!((found.ok(), count), (Some(made), made), "{disturbed}");
        }
        let refused: io::Result<()> = whole(|| Err(io::Error::from_raw_os_error(libc::EPERM)));
        assert_eq!(refused.expect_err("refused").raw_os_error(), Some(libc::EPERM));
    }
}
