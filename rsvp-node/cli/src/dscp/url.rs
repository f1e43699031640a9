//! Addresses of pages: `http://HOST[:PORT][/PATH][?QUERY]` (RFC 3986), as far as `rsvp dscp get` fetches them.

use hyper::Uri;
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
        let expected = format!(
            "expected http://HOST[:{PORT}][/PATH], such as http://127.0.0.1:{PORT}/ or http://[::1]/"
        );
        let uri: Uri = text.parse().map_err(|error| format!("{error}: {expected}"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(other) => return Err(format!("there is no scheme `{other}` here, only http")),
            None => return Err(expected),
        }
        let authority = uri.authority().ok_or(expected)?;
        if authority.as_str().contains('@') {
            return Err("a user and password before the host are not supported".to_owned());
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            None | Some("" | ":") => PORT,
            Some(port) => authority
                .port_u16()
                .filter(|number| *number > 0 && !port.contains('+'))
                .ok_or_else(|| format!("`{port}` is not a port: expected `:` and 1 to 65535"))?,
        };
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => match address.parse() {
                Ok(IpAddr::V6(address)) => address.to_string(),
                _ => return Err(format!("`{address}` is not an IPv6 address (zones are not supported)")),
            },
            None => host.to_owned(),
        };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { host, port, target: format!("{slash}{target}") })
    }
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
            ("http://", "expected http://"),
            ("http://a@b/", "password"),
            ("http://::1/", "or http://[::1]/"),
            ("http://[::1/", "expected http://"),
            ("http://[127.0.0.1]/", "not an IPv6 address"),
            ("http://[fe80::1%25lo]/", "zones"),
            ("http://h:0/", "not a port"),
            ("http://h:65536/", "not a port"),
            ("http://h:+1/", "not a port"),
            ("http://[::1]80/", "not a port"),
            ("http://h/a b", "expected http://"),
            ("http://h/a\r\nX: y", "expected http://"),
            ("http://h\r\n/", "expected http://"),
        ];
        for (text, words) in cases {
            let complaint = text.parse::<Url>().unwrap_err();
            assert!(complaint.contains(words), "{text}: {complaint}");
        }
    }
}
