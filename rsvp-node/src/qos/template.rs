//! Templates: flowspecs by name, for codecs and whatever an administrator installs.
//!
//! Eight base names are always there. An installed template may replace a base one; removing it gives the base one back, and
//! a base one cannot be removed. Installing and removing is for the privileged; that they outlive the process is left to
//! whoever keeps them. Source: the published pages of templates for names and rules.
//!
//! **Figures.** Of G711 they are those of published samples. Of the other seven nothing was published that could be found:
//! theirs are *this project's own*. Audio follows the pattern of G711: a frame and an RTP header (12 octets) in each
//! packet, a bucket of two packets, a peak of twice the rate. Video is 64 kbit/s (QCIF), 256 (H263CIF) and 384 (H261CIF) in
//! packets of 1000 octets and an RTP header, with a bucket of two packets (QCIF) or four (CIF).

use super::flowspec::{Flowspec, Peak};
use super::request::Qos;
use super::service_type::ServiceType;
use std::collections::BTreeMap;
use thiserror::Error;

/// The names that are always there.
pub const BASE_NAMES: [&str; 8] =
    ["G711", "G723.1", "G729", "H263QCIF", "H263CIF", "H261QCIF", "H261CIF", "GSM6.10"];

/// Why a template is not given, installed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// WSA_NODATA: no template has this name.
    #[error("there is no template of this name")]
    NoData,
    /// WSAEINVAL: a base name is removed, or the name is none.
    #[error("a base template cannot be removed, and a name has neither no characters nor one of zero")]
    Invalid,
    /// WSAEACCES: the caller is not privileged.
    #[error("installing and removing templates needs privileges")]
    Denied,
    /// A host that keeps templates keeps the base ones as they are.
    #[error("it is a base template, which says the same on every host: choose another name")]
    Base,
    /// A name that cannot be one of a template that is kept.
    #[error(
        "a name has 1 to 64 letters, digits, \".\", \"_\" and \"-\", and begins with a letter or a digit"
    )]
    Name,
    /// A name that differs from another one by its case alone.
    #[error(
        "another template has this name but for the case of letters: choose another name, or remove that one"
    )]
    Alike,
    /// There are as many as are kept.
    #[error("100 templates are installed, and no more are kept: remove one")]
    Full,
    /// It is larger than is kept.
    #[error("a template has 4096 octets at most: it has too many objects, or too large ones")]
    Large,
    /// It changes nothing.
    #[error("it says nothing of what is sent nor of what is received: name a service for one of them")]
    Empty,
}

/// Most templates that are installed on a host that keeps them.
pub const MOST_TEMPLATES: usize = 100;
/// Longest name of one of them.
pub const LONGEST_NAME: usize = 64;
/// Most octets of one of them, as [`Qos::to_octets`] has it.
pub const LARGEST_TEMPLATE: usize = 4096;

/// The templates of a host.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Templates {
    installed: BTreeMap<String, Qos>,
}

impl Templates {
    /// All names: base names first, then what was installed beside them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let more = self.installed.keys().map(String::as_str).filter(|name| !BASE_NAMES.contains(name));
        BASE_NAMES.into_iter().chain(more)
    }

    /// Names as an enumeration gives them: one after the other with a zero behind each, as many as fit into `room` octets
    /// with the empty name that ends them.
    #[must_use]
    pub fn listed(&self, room: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for name in self.names() {
            if out.len() + name.len() + 2 > room {
                break;
            }
            out.extend(name.as_bytes());
            out.push(0);
        }
        if room > 0 {
            out.push(0);
        }
        out
    }

    /// The name of a template, told by it in whichever case: this very one, if there is one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        let same = self.names().find(|known| *known == name);
        same.or_else(|| self.names().find(|known| known.eq_ignore_ascii_case(name)))
    }

    /// Whether a template may be kept under a name by a host on which they outlive processes: base ones stay as they are,
    /// names are those that files can have, and there are bounds.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self, name: &str, qos: &Qos) -> Result<(), TemplateError> {
        let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.len() > LONGEST_NAME
            || !name.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !name.chars().all(is_usual)
        {
            return Err(TemplateError::Name);
        }
        match self.find(name) {
            Some(base) if BASE_NAMES.contains(&base) => return Err(TemplateError::Base),
            Some(known) if known != name => return Err(TemplateError::Alike),
            None if self.installed.len() >= MOST_TEMPLATES => return Err(TemplateError::Full),
            _ => {}
        }
        let says = |flowspec: &Flowspec| flowspec.service.service_type != ServiceType::NoChange;
        if !says(&qos.sending) && !says(&qos.receiving) {
            return Err(TemplateError::Empty);
        }
        if qos.to_octets().len() > LARGEST_TEMPLATE {
            return Err(TemplateError::Large);
        }
        Ok(())
    }

    /// The template of a name.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self, name: &str) -> Result<Qos, TemplateError> {
        self.installed.get(name).cloned().or_else(|| base(name)).ok_or(TemplateError::NoData)
    }

    /// Installs a template, in place of one of that name.
    ///
    /// # Errors
    /// When the caller may not, or the name is none.
    pub fn install(&mut self, name: &str, qos: Qos, privileged: bool) -> Result<(), TemplateError> {
        if !privileged {
            return Err(TemplateError::Denied);
        }
        if name.is_empty() || name.contains('\0') {
            return Err(TemplateError::Invalid);
        }
        self.installed.insert(name.to_owned(), qos);
        Ok(())
    }

    /// Removes what was installed.
    ///
    /// # Errors
    /// When the caller may not, the name is a base one that was not replaced, or nothing has it.
    pub fn remove(&mut self, name: &str, privileged: bool) -> Result<(), TemplateError> {
        if !privileged {
            return Err(TemplateError::Denied);
        }
        match self.installed.remove(name) {
            Some(_) => Ok(()),
            None if BASE_NAMES.contains(&name) => Err(TemplateError::Invalid),
            None => Err(TemplateError::NoData),
        }
    }
}

/// Rate, bucket, peak and largest packet, in octets (per second), and whether all packets are as large.
const BASE: [(u32, u32, u32, u32, bool); 8] = [
    (8500, 680, 17_000, 340, true),
    (1200, 72, 2400, 36, true),
    (2200, 44, 4400, 22, true),
    (8096, 2024, 16_192, 1012, false),
    (32_384, 4048, 64_768, 1012, false),
    (8096, 2024, 16_192, 1012, false),
    (48_576, 4048, 97_152, 1012, false),
    (2250, 90, 4500, 45, true),
];

fn base(name: &str) -> Option<Qos> {
    let nth = BASE_NAMES.into_iter().position(|base| base == name)?;
    let (rate, bucket, peak, largest, all_as_large) = *BASE.get(nth)?;
    let flowspec = Flowspec {
        token_rate: Some(rate),
        token_bucket_size: Some(bucket),
        peak_bandwidth: Some(Peak::Finite(peak)),
        max_sdu_size: Some(largest),
        minimum_policed_size: all_as_large.then_some(largest),
        ..Flowspec::of(ServiceType::ControlledLoad)
    };
    Some(Qos { sending: flowspec, receiving: flowspec, objects: Vec::new() })
}
