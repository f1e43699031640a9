//! Policies for URLs (C5): servers that ask which policy is for what they answer, `curl` that asks them, and a capture.

use super::super::plane::seen::seen;
use super::*;
use crate::programs;
use std::path::Path;

/// Octets of an answer: more than one packet.
const ANSWER: u64 = 20_000;

/// Fetches pages over one connection, and gives the DSCPs of the answers' data, each once, in their order.
fn answers(site: &Site, capture: &Capture, port: u16, more: &[&str], paths: &[&str]) -> Vec<u8> {
    let before = seen(capture, port).len();
    let mut line = vec![CURL, "-s"];
    line.extend(more);
    let urls: Vec<String> =
        paths.iter().map(|path| format!("http://{SERVER}:{port}/{path}/{ANSWER}")).collect();
    urls.iter().for_each(|url| line.extend(["-o", "/dev/null", url]));
    site.net.exec("a", &line);
    let packets = site.sent(capture, port, before);
    let data: Vec<&Seen> = packets.iter().filter(|p| p.ports.0 == port && p.octets > 200).collect();
    let octets: u64 = data.iter().map(|packet| packet.octets).sum();
    assert!(octets > ANSWER * paths.len() as u64, "whole answers: {octets}");
    let mut marks: Vec<u8> = data.iter().map(|packet| packet.dscp()).collect();
    marks.dedup();
    marks
}

/// A server at `b`, where policies are for URLs of this port; judged by what leaves it.
fn marks_by_url(site: &mut Site, port: u16, server: std::process::Command) {
    let url = |name: &str, url: &str, more: &str, dscp: u8| {
        policy(name, &format!("url = \"{url}\"{more}"), &format!("dscp = {dscp}"))
    };
    let text = [
        url("films", &format!("http://{SERVER}:{port}/films"), ", recursive = true", 34),
        url("one film", &format!("http://{SERVER}:{port}/films/best/{ANSWER}"), "", 36),
        url("news", &format!("http://*:{port}/news"), "", 10),
        url("music", &format!("http://*:{port}/music"), ", recursive = true", 12),
        url("any port", "http://*:*/talk", ", recursive = true", 14),
        url("other port", "http://*:9/radio", ", recursive = true", 16),
        url("other host", &format!("http://example.org:{port}/"), ", recursive = true", 18),
        url("in TLS", &format!("https://{SERVER}:{port}/secret"), ", recursive = true", 20),
        policy(
            "near",
            &format!("url = \"http://*:{port}/near\", recursive = true, remote = \"10.0.1.1\""),
            "dscp = 22",
        ),
        policy(
            "far",
            &format!("url = \"http://*:{port}/far\", recursive = true, remote = \"10.9.0.0/16\""),
            "dscp = 24",
        ),
    ];
    let report = site.say("b", "urls", &text.concat());
    assert_eq!(report["complaints"], json!([]), "{report:#}");
    site.net.others.push({ server }.spawn().expect("it runs"));
    site.listens_at(port);
    let capture = site.net.capture_many("b", "to-a", "tcp");
    for (path, dscp) in [
        ("films", 34),
        ("films/of/1999", 34),
        ("films/best", 36),
        ("filmstars", 0),
        // A policy that is not recursive is for its own path alone.
        ("news", 0),
        ("music", 12),
        ("talk", 14),
        ("radio", 0),
        ("secret", 0),
        ("near", 22),
        ("far", 0),
        ("", 0),
    ] {
        assert_eq!(answers(site, &capture, port, &[], &[path]), [dscp], "/{path}");
    }
    // Who asks names the host.
    let header = format!("Host: example.org:{port}");
    assert_eq!(answers(site, &capture, port, &["-H", &header], &["films"]), [18]);
    // One connection: an answer without a policy has its own mark again.
    assert_eq!(answers(site, &capture, port, &[], &["films", "else", "music", "films"]), [34, 0, 12, 34]);
    // Policies that change are those of the next answer, of the same server.
    site.say("b", "urls", &url("films", &format!("http://*:{port}/"), ", recursive = true", 46));
    assert_eq!(answers(site, &capture, port, &[], &["films", "else"]), [46]);
    // Without the daemon answers leave as they are.
    site.net.signal("b", nix::sys::signal::Signal::SIGTERM);
    site.net.ended("b");
    assert_eq!(answers(site, &capture, port, &[], &["films", "else"]), [0]);
    // With another one they are marked again, once the server has found it.
    site.start("b", "");
    eventually("it is asked again", || {
        (answers(site, &capture, port, &[], &["films"]) == [46]).then_some(())
    });
}

#[test]
fn answers_of_a_server_with_the_layer_are_marked_by_url() {
    let Some(mut site) = Site::without_daemon("policies_urls") else { return };
    site.start("b", "");
    let program = programs::examples().join("url_server").display().to_string();
    let mut server = site.net.command("b", &program);
    server.arg(format!("{SERVER}:8090")).env("RSVP_QOS_SOCKET", site.net.file("b.qos.sock"));
    marks_by_url(&mut site, 8090, server);
}

/// By uvicorn itself where it is installed; else by what `tests/uvicorn` has of its interface.
#[test]
fn answers_of_uvicorn_with_the_protocol_class_are_marked_by_url() {
    let Some(mut site) = Site::without_daemon("policies_uvicorn") else { return };
    site.start("b", "");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut installed = Command::new("python3");
    let installed =
        installed.args(["-c", "import uvicorn.protocols"]).current_dir("/").stderr(Stdio::null()).status();
    // The folder of a program that is run comes first of all: elsewhere it stands for itself.
    let program = site.net.file("application.py");
    std::fs::copy(root.join("tests/uvicorn/application.py"), &program).expect("a copy");
    let mut folders = vec![root.join("contrib/uvicorn")];
    if !installed.expect("python3 runs").success() {
        crate::skipped("policies_uvicorn: uvicorn is not installed, its interface stands for it");
        folders.push(root.join("tests/uvicorn"));
    }
    let path: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let mut server = site.net.command("b", "python3");
    server
        .env("PYTHONPATH", path.join(":"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("RSVP_QOS_SOCKET", site.net.file("b.qos.sock"));
    server.arg(program).args([SERVER, "8091"]);
    marks_by_url(&mut site, 8091, server);
}
