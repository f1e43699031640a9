//! UDP sockets with QoS: a peer, and groups.

use super::{Leaf, QosError, QosSocket};
use rsvp_control::sockets::Join;
use rsvp_node::qos::Qos;
use socket2::{InterfaceIndexOrAddress, SockRef};
use std::net::{IpAddr, SocketAddr};
use tokio::net::{ToSocketAddrs, UdpSocket};

impl QosSocket<UdpSocket> {
    /// Connects, and has what was set take effect for this peer: a sender's Path leaves, a receiver's reservation is for the peer alone
    /// from now on.
    ///
    /// # Errors
    /// When the system does not connect it, or the daemon refuses or is gone.
    pub async fn connect(&self, to: impl ToSocketAddrs) -> Result<(), QosError> {
        UdpSocket::connect(self, to).await.map_err(QosError::system("connecting the socket"))?;
        self.moved().await
    }

    /// Dissolves the association with the peer (`connect` to no address), and has the QoS for it end: the Path of a sender is torn
    /// down, a receiver reserves for all senders again. What was set stays set, for the next peer.
    ///
    /// # Errors
    /// When the system does not, or the daemon refuses or is gone.
    pub async fn disconnect(&self) -> Result<(), QosError> {
        let dissolved = rustix::net::connect_unspec(&**self);
        dissolved.map_err(|error| QosError::system("disconnecting the socket")(error.into()))?;
        self.moved().await
    }

    /// Joins a group (WSAJoinLeaf): the only way to multicast QoS. As a receiver the socket is made a member of the group, as the sender
    /// it is not. With a QoS that holds for this group; without, what is set for the socket does, now and later. Whoever sends sends to
    /// this very group.
    ///
    /// # Errors
    /// When it is no group, the system refuses, the request makes no sense, or the daemon is gone.
    pub async fn join(&self, group: SocketAddr, leaf: Leaf, qos: Option<&Qos>) -> Result<(), QosError> {
        if leaf.receives() {
            let member = QosError::system("joining the group");
            let socket = SockRef::from(&**self);
            match group.ip() {
                IpAddr::V4(group) => socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(0)),
                IpAddr::V6(address) => {
                    let interface = match group {
                        SocketAddr::V6(group) => group.scope_id(),
                        SocketAddr::V4(_) => 0,
                    };
                    socket.join_multicast_v6(&address, interface)
                }
            }
            .map_err(member)?;
        }
        self.take_part(group, leaf, qos, None).await
    }

    /// The same for a socket whose membership is its application's own business; by this interface, if one is named.
    ///
    /// # Errors
    /// When it is no group, there is no such interface, the request makes no sense, or the daemon is gone.
    pub async fn take_part(
        &self,
        group: SocketAddr,
        leaf: Leaf,
        qos: Option<&Qos>,
        interface: Option<&str>,
    ) -> Result<(), QosError> {
        let qos = qos.map(TryInto::try_into).transpose()?;
        let (socket, interface) = (self.handed().number(), interface.map(str::to_owned));
        self.handed().join(Join { socket, group, leaf, qos, interface }).await
    }
}
