//! The UNIX socket itself: who may talk, and what a client is told when nobody is there.

use super::pair::{LEFT, Pair};
use rsvp_client::{Client, ClientError, What};
use rsvpd::control::descriptors::Keepers;
use rsvpd::control::server::{Access, serve};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

/// A folder of its own that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rsvp-control-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn clients_come_and_go_over_a_unix_socket() {
    let folder = Folder::new("serve");
    let pair = Pair::start();
    let listener = UnixListener::bind(folder.socket()).expect("bound");
    tokio::spawn(serve(listener, Access::default(), Keepers::default(), pair.doors[LEFT].clone()));
    for _ in 0..3 {
        let client = Client::connect(folder.socket()).await.expect("this user may");
        assert!(client.daemon().starts_with("rsvpd "));
        client.list(What::Interfaces, None).await.expect("listed");
    }
    let _one = Client::connect(folder.socket()).await.expect("this user may");
    pair.until("the others are gone", |seen| seen.clients == [1, 0]).await;
}

#[test]
fn root_the_daemon_itself_and_the_group_may_talk() {
    let own = nix_uid();
    let nobody = 65_534;
    let alone = Access::default();
    assert!(alone.permits(0, &[0]) && alone.permits(own, &[nobody]));
    assert!(!alone.permits(nobody, &[nobody]) && !alone.permits(nobody, &[0]));
    let group = Access { group: Some(4_711), sockets_only: false };
    assert!(group.permits(nobody, &[nobody, 4_711]) && !group.permits(nobody, &[4_712]));
    assert!(group.permits(0, &[0]));
}

/// The user this test runs as.
fn nix_uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").expect("a process").uid()
}

#[tokio::test]
async fn without_a_daemon_one_is_told_how_to_start_it() {
    let folder = Folder::new("none");
    let error = Client::connect(folder.socket()).await.expect_err("nobody is there");
    assert!(matches!(error, ClientError::NoDaemon { .. }));
    assert!(error.to_string().contains("systemctl start rsvpd"), "{error}");
    // A socket that nobody listens on any more is no daemon either.
    drop(std::os::unix::net::UnixListener::bind(folder.socket()).expect("bound"));
    let error = loop {
        // Until it executes its program, what another test starts has a copy of the listener.
        match Client::connect(folder.socket()).await.expect_err("nobody is there") {
            ClientError::Disconnected => tokio::task::yield_now().await,
            error => break error,
        }
    };
    assert!(matches!(error, ClientError::NoDaemon { .. }), "{error}");
}

#[tokio::test]
async fn another_version_and_another_kind_of_daemon_are_refused() {
    let greet = |line: &'static str| async move {
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        theirs.write_all(line.as_bytes()).await.expect("room");
        drop(theirs);
        Client::over(ours).await.expect_err("no greeting of ours")
    };
    assert!(matches!(
        greet("{\"version\":2,\"daemon\":\"rsvpd 9\"}\n").await,
        ClientError::OtherVersion { found: 2 }
    ));
    assert!(matches!(greet("220 mail\n").await, ClientError::Unexpected(_)));
    assert!(matches!(greet("{}\n").await, ClientError::Unexpected(_)));
    assert!(matches!(greet("").await, ClientError::Disconnected));
    let refused = greet("{\"error\":{\"code\":\"not-permitted\",\"message\":\"only root may\"}}\n").await;
    assert_eq!(refused.to_string(), "only root may");
}

#[tokio::test]
async fn a_client_whose_daemon_ends_is_told_so() {
    let pair = Pair::start();
    let client = pair.client(LEFT).await;
    let mut session = client.session("udp 10.0.0.2:5000".parse().expect("a session")).await.expect("open");
    drop(pair);
    assert!(session.next_event().await.is_none());
    assert!(matches!(client.list(What::Senders, None).await, Err(ClientError::Disconnected)));
    let mut nothing = [0; 1];
    let (mut ours, theirs) = tokio::io::duplex(1);
    drop(theirs);
    assert_eq!(ours.read(&mut nothing).await.expect("read"), 0);
}
