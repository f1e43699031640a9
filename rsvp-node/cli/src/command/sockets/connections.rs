//! Callers of `rsvp recv --tcp`: each is handed over with the listener's QoS, and read by a task of its own.

use super::super::Failure;
use super::super::payload::Payload;
use core::time::Duration;
use rsvp_client::qos::FdQos;
use rsvp_client::{ClientError, Decision, QosError, QosSocket};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Callers at a time.
const MOST_CALLERS: usize = 64;
/// Longest record, in octets: as long as a datagram can be.
const LONGEST_RECORD: usize = 65_535;
/// Rest after a caller could not be taken, most likely for want of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What a caller brings.
pub(super) enum FromCaller {
    /// A record, with its octets.
    Record(SocketAddr, Payload, usize),
    /// What the network did for its connection.
    Told(SocketAddr, Box<FdQos>),
    /// It cannot be gone on with, for this reason.
    Failed(SocketAddr, String),
}

/// Takes callers until the receiver of what they bring is gone.
pub(super) async fn serve(
    listener: QosSocket<TcpListener>,
    brought: mpsc::Sender<FromCaller>,
) -> Result<(), Failure> {
    let mut callers = JoinSet::new();
    loop {
        while callers.try_join_next().is_some() {}
        let is_full = callers.len() >= MOST_CALLERS;
        let decide = |_: &_| if is_full { Decision::Reject } else { Decision::Accept(None) };
        match listener.accept_if(decide).await {
            Ok(Some((stream, peer))) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                callers.spawn(converse(stream, peer, brought.clone()));
            }
            Ok(None) => {}
            Err(error @ QosError::Daemon(ClientError::Disconnected)) => return Err(error.into()),
            Err(error) => {
                eprintln!("rsvp: a caller is not taken: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
        if brought.is_closed() {
            return Ok(());
        }
    }
}

/// Reads a caller's records, and hears what its connection is told.
async fn converse(stream: QosSocket<TcpStream>, peer: SocketAddr, brought: mpsc::Sender<FromCaller>) {
    let mut unread = Vec::new();
    let mut octets = vec![0; LONGEST_RECORD];
    loop {
        let said = tokio::select! {
            told = stream.next() => match told {
                Some(told) => FromCaller::Told(peer, Box::new(told)),
                None => return,
            },
            readable = stream.readable() => {
                match readable.and_then(|()| stream.try_read(&mut octets)) {
                    Ok(0) => return,
                    Ok(length) => unread.extend(&octets[..length]),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                    // It has hung up in whichever way.
                    Err(_) => return,
                }
                match records(&mut unread) {
                    Ok(found) => {
                        for (payload, length) in found {
                            if brought.send(FromCaller::Record(peer, payload, length)).await.is_err() {
                                return;
                            }
                        }
                        continue;
                    }
                    Err(why) => FromCaller::Failed(peer, why),
                }
            }
        };
        let ends = matches!(said, FromCaller::Failed(..));
        if brought.send(said).await.is_err() || ends {
            return;
        }
    }
}

/// Takes whole records out of what was read.
fn records(unread: &mut Vec<u8>) -> Result<Vec<(Payload, usize)>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((head, rest)) = unread.get(at..).and_then(|rest| rest.split_first_chunk::<4>()) {
        let length = u32::from_be_bytes(*head) as usize;
        if length > LONGEST_RECORD {
            return Err("what it sends is not from `rsvp send --tcp`".to_owned());
        }
        let Some(record) = rest.get(..length) else { break };
        let Some(payload) = Payload::read(record) else {
            return Err("what it sends is not from `rsvp send --tcp`".to_owned());
        };
        found.push((payload, length));
        at += 4 + length;
    }
    unread.drain(..at);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_however_they_are_divided() {
        let payload = Payload { flow: 7, sequence: 9, sent_us: 11 };
        let mut record = vec![0; 30];
        payload.write(&mut record);
        let both = [&30_u32.to_be_bytes()[..], &record].concat().repeat(2);
        for cut in 0..both.len() {
            let mut unread = both[..cut].to_vec();
            let mut found = records(&mut unread).unwrap();
            unread.extend(&both[cut..]);
            found.extend(records(&mut unread).unwrap());
            assert_eq!((found, unread.len()), (vec![(payload, 30); 2], 0), "{cut}");
        }
        assert!(records(&mut b"GET / HTTP/1.1".to_vec()).is_err());
        assert!(records(&mut [&[0, 0, 0, 4][..], b"text"].concat()).is_err());
    }
}
