//! `rsvp dscp get` and `list`, on loopback: what comes is handed on, what goes wrong is told, and no answer takes more
//! memory or time than is allowed.

use crate::programs;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::thread;

fn dscp(arguments: &[&str]) -> Output {
    Command::new(programs::folder().join("rsvp")).arg("dscp").args(arguments).output().expect("rsvp runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A server that takes one request and answers with these octets, then closes; gives the request.
fn server(answer: Vec<u8>) -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("bound");
    let serve = move || {
        let (mut peer, _) = listener.accept().expect("a client");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut octet = [0];
            assert_eq!(peer.read(&mut octet).expect("a request"), 1);
            request.extend(octet);
        }
        // The client may have seen enough before the end.
        let _ = peer.write_all(&answer);
        let _ = peer.shutdown(Shutdown::Write);
        let _ = peer.read_to_end(&mut Vec::new());
        text(&request)
    };
    (at, thread::spawn(serve))
}

fn fetch(answer: &str, more: &[&str]) -> (Output, String) {
    let (at, served) = server(answer.as_bytes().to_vec());
    let url = format!("http://{at}/a/b?c=d#e");
    let done = dscp(&[&["get", &url, "--dscp", "af41", "--timeout", "60s"], more].concat());
    (done, served.join().expect("served"))
}

#[test]
fn a_page_goes_to_standard_output_or_a_file() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let (done, request) = fetch(answer, &[]);
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(0), "abcde"));
    let said = text(&done.stderr);
    assert!(
        said.starts_with("200 OK: 5 octets from 127.0.0.1:") && said.contains("AF41 (DS field 0x88)"),
        "{said}"
    );
    assert!(request.starts_with("GET /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
    assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
    let path = std::env::temp_dir().join(format!("rsvp-get-{}", std::process::id()));
    let (done, _) =
        fetch("HTTP/1.0 404 Not Found\r\n\r\nnone", &["--json", "--output", &path.display().to_string()]);
    let result: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(done.status.code(), Some(1), "a status of 404");
    assert_eq!((&result["status"], &result["octets"], &result["dscp"]), (&404.into(), &4.into(), &34.into()));
    assert_eq!((&result["reason"], &result["name"]), (&"Not Found".into(), &"AF41".into()), "{result}");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "none");
    std::fs::remove_file(&path).expect("removed");
}

#[test]
fn what_goes_wrong_is_said_with_a_remedy() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (closed, at) = (format!("http://{closed}/"), silent.local_addr().expect("bound"));
    let silent_url = format!("http://{at}/");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["get", "https://127.0.0.1/", "--dscp", "ef"], 2, "no scheme `https` here, only http"),
        (&["get", "http://::1/", "--dscp", "ef"], 2, "or http://[::1]/"),
        (&["get", &closed, "--dscp", "voice"], 2, "a name such as EF"),
        (&["get", &closed], 2, "--dscp"),
        (&["get", &closed, "--dscp", "ef"], 1, "does a server listen there?"),
        (&["get", &silent_url, "--dscp", "ef", "--timeout", "200ms"], 1, "no whole answer within 200ms"),
        (&["get", "http://nowhere.invalid/", "--dscp", "ef"], 1, "nowhere.invalid:8086: "),
    ];
    for (arguments, status, words) in cases {
        let done = dscp(arguments);
        let complaint = text(&done.stderr);
        assert!(
            done.status.code() == Some(status) && complaint.contains(words),
            "{arguments:?}: {complaint}"
        );
    }
}

#[test]
fn malformed_answers_are_refused() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(1 << 20));
    let cases = [
        ("220 mail.example ESMTP\r\n", "not an HTTP answer: "),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "the answer breaks off after 3 octets: "),
        ("HTTP/1.1 200 OK\r\nContent-Len", "before there was an answer"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "the answer breaks off after 0 octets: ",
        ),
        (&endless, "too large"),
    ];
    for (answer, words) in cases {
        let (done, _) = fetch(answer, &[]);
        let complaint = text(&done.stderr);
        assert!(done.status.code() == Some(1) && complaint.contains(words), "{complaint}");
    }
}

#[test]
fn the_list_has_every_name() {
    let table = text(&dscp(&["list"]).stdout);
    let ef: Vec<_> = table.lines().filter(|line| line.trim_start().starts_with("EF ")).collect();
    let [ef] = ef[..] else { panic!("{table}") };
    let words: Vec<_> = ef.split_whitespace().take(7).collect();
    assert_eq!(words, ["EF", "46", "0xb8", "101110", "00", "3246", "AC_VI"]);
    let rows: Vec<Value> = serde_json::from_slice(&dscp(&["list", "--json"]).stdout).expect("JSON");
    assert_eq!(rows.len(), table.lines().count() - 1);
    for row in &rows {
        let (number, octet) =
            (row["dscp"].as_u64().expect("a number"), row["ds_field"].as_u64().expect("a number"));
        assert_eq!(octet, number * 4, "{row}");
        assert_eq!(row["binary"], format!("{octet:08b}"), "{row}");
        assert_eq!(row["hex"], format!("{octet:#04x}"), "{row}");
        assert!(row["rfc"].as_u64().is_some_and(|rfc| rfc >= 2_474), "{row}");
        assert!(row["meaning"].as_str().is_some_and(|meaning| !meaning.is_empty()), "{row}");
    }
    let of = |name: &str| {
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {rows:?}"))
    };
    assert_eq!(
        (&of("CS6")["wmm"], &of("CS1")["wmm"], &of("DF")["wmm"]),
        (&"AC_VO".into(), &"AC_BK".into(), &"AC_BE".into())
    );
}
