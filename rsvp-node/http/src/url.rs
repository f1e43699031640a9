//! The URL that a request asks for.

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri};
use std::net::SocketAddr;

/// The whole URL: with the host and port that the client has named, else those of the server's own address. None where what was
/// named as the host is none.
pub(super) fn of(uri: &Uri, headers: &HeaderMap, is_tls: bool, local: SocketAddr) -> Option<String> {
    let scheme = if is_tls { Scheme::HTTPS } else { Scheme::HTTP };
    let named = match (uri.authority(), headers.get(HOST)) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        (None, None) => None,
    };
    let (host, port) = match &named {
        Some(named) => (named.host().to_owned(), named.port_u16()),
        None => {
            let address = local.ip().to_canonical();
            let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            (host, Some(local.port()))
        }
    };
    let port = port.unwrap_or(if is_tls { 443 } else { 80 });
    // `OPTIONS *` asks for no path.
    let path = if uri.path().starts_with('/') { uri.path() } else { "/" };
    Some(format!("{scheme}://{host}:{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn url(uri: &str, host: Option<&str>, is_tls: bool) -> Option<String> {
        let mut request = Request::get(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let request = request.body(()).expect("a request");
        of(request.uri(), request.headers(), is_tls, "[::ffff:10.0.1.2]:8080".parse().expect("an address"))
    }

    #[test]
    fn it_is_what_the_client_has_named() {
        for (uri, host, is_tls, expected) in [
            ("/films/a?b=/c", Some("example.org:8080"), false, Some("http://example.org:8080/films/a")),
            ("/", Some("example.org"), false, Some("http://example.org:80/")),
            ("/", Some("example.org"), true, Some("https://example.org:443/")),
            ("/", Some("[2001:db8::1]:8080"), false, Some("http://[2001:db8::1]:8080/")),
            // The whole URL, as it comes to a proxy, and as HTTP/2 has it.
            ("http://other.org:81/x", Some("example.org"), false, Some("http://other.org:81/x")),
            ("/x", None, false, Some("http://10.0.1.2:8080/x")),
            ("*", Some("example.org:8080"), false, Some("http://example.org:8080/")),
            ("/x", Some("no host"), false, None),
        ] {
            assert_eq!(url(uri, host, is_tls).as_deref(), expected, "{uri} {host:?}");
        }
    }
}
