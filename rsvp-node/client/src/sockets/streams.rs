//! TCP connections with QoS.

use super::{QosError, QosHost, QosSocket};
use core::pin::Pin;
use core::task::{Context, Poll};
use rsvp_node::qos::Qos;
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, ToSocketAddrs};

impl QosSocket<TcpStream> {
    /// Connects with a QoS (WSAConnect): a sender's Path leaves as soon as the connection stands.
    ///
    /// # Errors
    /// When there is no connection, the request makes no sense, or the daemon refuses or is gone; then the connection is ended.
    pub async fn connect(host: &QosHost, to: impl ToSocketAddrs, qos: &Qos) -> Result<Self, QosError> {
        let stream = TcpStream::connect(to).await.map_err(QosError::system("connecting the socket"))?;
        let socket = host.attach(stream).await?;
        socket.set(qos).await?;
        Ok(socket)
    }
}

impl AsyncRead for QosSocket<TcpStream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.inner()).poll_read(context, into)
    }
}

impl AsyncWrite for QosSocket<TcpStream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.inner()).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.inner()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.inner()).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.inner()).poll_write_vectored(context, octets)
    }

    fn is_write_vectored(&self) -> bool {
        (**self).is_write_vectored()
    }
}
