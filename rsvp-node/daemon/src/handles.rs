//! Logical interface handles (RFC 2205 section 3.3) that nobody can guess: a Resv that names one comes from somebody who was told.
//!
//! A handle is made of a secret, the number of the start and the interface, so that it is another after each start; neighbours that
//! have not heard the new one yet find their interface by those of the starts before, which can be made again. Secret and number are in a
//! file of the state folder, one for each network namespace. Where there is none, earlier handles are unknown.

use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Where the secret is kept when nothing else is said.
pub(super) const DEFAULT_STATE: &str = "/var/lib/rsvp";
/// Starts before this one whose handles are known.
const EARLIER: u64 = 8;

type Secret = [u8; 32];

/// Makes handles.
#[derive(Debug)]
pub(super) struct Handles {
    secret: Secret,
    start: u64,
}

impl Handles {
    /// Begins another start. Where the file cannot be read or written the secret is for this one alone, and the second value says
    /// why.
    pub(super) fn begin(folder: Option<&Path>) -> io::Result<(Self, Option<String>)> {
        let Some(folder) = folder else { return Ok((Self::fresh()?, None)) };
        let namespace = fs::metadata("/proc/thread-self/ns/net").map(|found| found.ino()).unwrap_or_default();
        let path = folder.join(format!("handles-{namespace}"));
        match Self::next(folder, &path) {
            Ok(handles) => Ok((handles, None)),
            Err(error) => Ok((Self::fresh()?, Some(format!("{}: {error}", path.display())))),
        }
    }

    fn fresh() -> io::Result<Self> {
        let mut secret = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut secret)?;
        Ok(Self { secret, start: EARLIER })
    }

    fn next(folder: &Path, path: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut handles = match read(path)? {
            Some(handles) => handles,
            None => Self::fresh()?,
        };
        handles.start = handles.start.wrapping_add(1);
        let new = PathBuf::from(format!("{}.new", path.display()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        let digits: String = handles.secret.iter().map(|octet| format!("{octet:02x}")).collect();
        writeln!(file, "{digits} {}", handles.start)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        Ok(handles)
    }

    /// The handle of an interface.
    pub(super) fn of(&self, index: u32) -> u32 {
        self.at(index, self.start)
    }

    /// Those that it had in earlier starts, the latest first.
    pub(super) fn earlier(&self, index: u32) -> Vec<u32> {
        (1..=EARLIER).map(|before| self.at(index, self.start.wrapping_sub(before))).collect()
    }

    /// Never zero, which is what neighbours without handles have.
    fn at(&self, index: u32, start: u64) -> u32 {
        let digest = Sha256::new().chain_update(self.secret).chain_update(start.to_be_bytes());
        let digest = digest.chain_update(index.to_be_bytes()).finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]).max(1)
    }
}

/// What the file says; nothing where there is none, or one that makes no sense.
fn read(path: &Path) -> io::Result<Option<Handles>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(parse(&text))
}

fn parse(text: &str) -> Option<Handles> {
    let (digits, start) = text.trim_end().split_once(' ')?;
    let mut secret = [0; 32];
    let pairs = digits.as_bytes().chunks_exact(2);
    if digits.len() != 2 * secret.len() {
        return None;
    }
    for (octet, pair) in secret.iter_mut().zip(pairs) {
        *octet = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Handles { secret, start: start.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_its_own_handles_and_knows_those_before() {
        let folder = std::env::temp_dir().join(format!("rsvpd-handles-{}", std::process::id()));
        let begin = || Handles::begin(Some(&folder)).unwrap();
        let (first, complaint) = begin();
        assert_eq!(complaint, None);
        let (second, _) = begin();
        assert_ne!(first.of(7), second.of(7));
        assert_ne!(second.of(7), second.of(8));
        assert_eq!(second.earlier(7)[0], first.of(7));
        let (last, _) = (0..6).map(|_| begin()).next_back().unwrap();
        assert!(last.earlier(7).contains(&first.of(7)) && last.earlier(7).contains(&second.of(7)));
        let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "nobody else reads it");
        // One that makes no sense is made anew.
        fs::write(file.path(), "nonsense").unwrap();
        let (other, complaint) = begin();
        assert!(complaint.is_none() && !other.earlier(7).contains(&last.of(7)));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn without_a_folder_there_are_handles_all_the_same() {
        let (handles, complaint) = Handles::begin(Some(Path::new("/proc/none"))).unwrap();
        assert!(complaint.unwrap().starts_with("/proc/none/handles-"));
        let (other, complaint) = Handles::begin(None).unwrap();
        assert_eq!(complaint, None);
        assert!(handles.of(1) != 0 && handles.of(1) != other.of(1));
    }
}
