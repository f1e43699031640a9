//! Addresses of pages: `http://HOST[:PORT][/PATH][?QUERY]` (RFC 3986), as far as `rsvp dscp get` fetches them.

use std::net::IpAddr;
use std::str::FromStr;

/// The port where none is said. That of the web would need privileges to serve: this is an introduction for everybody.
const PORT: u16 = 8_086;

/// What to fetch, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl Url {
    /// Host and port as they are written: an address of IPv6 has brackets.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            format!("expected http://HOST[:{PORT}][/PATH], such as http://127.0.0.1:{PORT}/")
        })?;
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(format!("there is no scheme `{scheme}` here, only http"));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = host_and_port(authority)?;
        let target = target.split('#').next().unwrap_or_default();
        if let Some(odd) = target.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(format!("{odd:?} cannot be in a path or query: write it as %XX"));
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { host, port, target: format!("{slash}{target}") })
    }
}

fn host_and_port(authority: &str) -> Result<(String, u16), String> {
    if authority.contains('@') {
        return Err("a user and password before the host are not supported".to_owned());
    }
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("`[` without `]`")?;
        match address.parse() {
            Ok(IpAddr::V6(address)) => (address.to_string(), port),
            _ => return Err(format!("`{address}` is not an IPv6 address (zones are not supported)")),
        }
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        if port.matches(':').count() > 1 {
            return Err(format!("an IPv6 address needs brackets: http://[{authority}]/"));
        }
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.is_empty() || !host.chars().all(sound) {
            return Err(format!("`{host}` is neither a name of a host nor an address"));
        }
        (host.to_owned(), port)
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => PORT,
        Some("") => PORT,
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            let port = digits.parse().ok().filter(|port| *port > 0);
            port.ok_or_else(|| format!("`{digits}` is not a port: 1 to 65535"))?
        }
        _ => return Err(format!("`{port}` is not a port: expected `:` and 1 to 65535")),
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ports_and_paths() {
        let cases = [
            ("http://127.0.0.1:8086/", "127.0.0.1:8086", "/"),
            ("HTTP://127.0.0.1", "127.0.0.1:8086", "/"),
            ("http://[::1]/a?b=c#d", "[::1]:8086", "/a?b=c"),
            ("http://[fd00:0::1]:80?b", "[fd00::1]:80", "/?b"),
            ("http://local-host.example:/x#", "local-host.example:8086", "/x"),
        ];
        for (text, authority, target) in cases {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.authority().as_str(), url.target.as_str()), (authority, target), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_page_is_refused() {
        let cases = [
            ("https://127.0.0.1/", "no scheme `https` here, only http"),
            ("127.0.0.1:8086", "expected http://"),
            ("http://", "neither a name"),
            ("http://a@b/", "password"),
            ("http://::1/", "needs brackets: http://[::1]/"),
            ("http://[::1/", "without `]`"),
            ("http://[127.0.0.1]/", "not an IPv6 address"),
            ("http://[fe80::1%25lo]/", "zones"),
            ("http://h:0/", "not a port"),
            ("http://h:65536/", "not a port"),
            ("http://h:+1/", "not a port"),
            ("http://[::1]80/", "not a port"),
            ("http://h/a b", "%XX"),
            ("http://h/a\r\nX: y", "%XX"),
            ("http://h\r\n/", "neither a name"),
        ];
        for (text, words) in cases {
            let complaint = text.parse::<Url>().unwrap_err();
            assert!(complaint.contains(words), "{text}: {complaint}");
        }
    }
}
