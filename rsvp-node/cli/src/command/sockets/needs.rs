//! What a socket's traffic needs, from the command line: a template, or a rate and a service.
//!
//! `--rate` and its like count IP headers, as everywhere in `rsvp`; a flowspec counts an application's own octets. All packets
//! are of one size here, so that one follows from the other but for the octet to which a flowspec is rounded.

use super::super::Failure;
use super::super::options::Bucket;
use clap::{Args, ValueEnum};
use rsvp_client::qos::objects::policy::PolicyElement;
use rsvp_client::qos::{Flowspec, Overhead, Qos, ServiceType, sender};
use rsvp_client::{QosHost, Traffic};

/// The services that a socket can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum ServiceOption {
    ControlledLoad,
    Guaranteed,
    Qualitative,
}

impl ServiceOption {
    pub(super) const fn service_type(self) -> ServiceType {
        match self {
            Self::ControlledLoad => ServiceType::ControlledLoad,
            Self::Guaranteed => ServiceType::Guaranteed,
            Self::Qualitative => ServiceType::Qualitative,
        }
    }
}

/// Traffic by name.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct Template {
    /// What the traffic needs, by the name of a template, such as g711: see `rsvp template list`
    #[arg(long = "template", value_name = "NAME")]
    template: Option<String>,
}

impl Template {
    pub(in super::super) const fn is_named(&self) -> bool {
        self.template.is_some()
    }

    /// What it says; nothing if none was named. It says all of it: `--bucket` and its like do not go with it.
    pub(super) async fn read(&self, host: &QosHost, bucket: &Bucket) -> Result<Option<Qos>, Failure> {
        if self.is_named() && !bucket.is_empty() {
            return Err(Failure::Arguments(
                "--bucket, --peak, --min-packet and --max-packet do not go with --template, which says all of it".to_owned(),
            ));
        }
        self.read_whole(host).await
    }

    pub(in super::super) async fn read_whole(&self, host: &QosHost) -> Result<Option<Qos>, Failure> {
        let Some(name) = &self.template else { return Ok(None) };
        Ok(Some(host.template(name).await?))
    }
}

/// The flowspec of packets that all have M.
pub(in super::super) fn flowspec(
    traffic: &Traffic,
    overhead: Overhead,
    service: ServiceType,
) -> Result<Flowspec, Failure> {
    let (packet, headers) = (traffic.max_packet, overhead.octets());
    if packet <= headers {
        return Err(Failure::Arguments(format!(
            "--max-packet {packet}B has no room: headers have {headers}B"
        )));
    }
    // A bucket always has room for a packet.
    let bucket = traffic.bucket.max(f64::from(packet));
    let traffic = Traffic { min_packet: packet, bucket, ..*traffic };
    sender::flowspec(&traffic.into(), overhead, service).ok_or_else(|| {
        Failure::Arguments("--rate is less than an octet per second: say a higher one".to_owned())
    })
}

/// How packets of a flowspec are sent, headers included.
pub(super) fn pace(flowspec: &Flowspec, overhead: Overhead) -> Result<Traffic, Failure> {
    let Some(rate) = flowspec.token_rate else {
        return Err(Failure::Arguments(
            "the template has no token_rate for sending, so that it is not known how fast to send: take another one"
                .to_owned(),
        ));
    };
    let minimum = flowspec.minimum_policed_size.unwrap_or(sender::DEFAULT_MINIMUM_POLICED_SIZE);
    let largest = sender::DEFAULT_MAX_SDU_SIZE;
    let packet = flowspec.max_sdu_size.map_or(largest, |size| overhead.size(size)).min(65_000);
    let bucket = flowspec.token_bucket_size.map_or(packet, |size| overhead.size(size));
    // Packets that are larger than the smallest that counts have less in headers than the formula has.
    let own = packet.saturating_sub(overhead.octets()).max(minimum);
    Ok(Traffic {
        bucket: f64::from(bucket.max(packet)),
        min_packet: overhead.size(minimum),
        max_packet: packet,
        ..Traffic::of(overhead.rate(rate.into(), own) * 8.0)
    })
}

/// The identity of an application for policies: "APP=backup,VER=1", or a name alone.
pub(super) fn identity(name: &str) -> Result<PolicyElement, Failure> {
    let locator = if name.contains('=') { name.to_owned() } else { format!("APP={name}") };
    PolicyElement::of_application(&locator).ok_or_else(|| {
        Failure::Arguments(format!(
            "--application \"{name}\": a name has 1 to 1000 ASCII characters, as APP=backup,VER=1"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_client::qos::Transport;

    #[test]
    fn what_is_said_with_headers_is_signalled_so() {
        for (bps, packet, transport) in
            [(2e6, 1_500, Transport::Udp), (64e3, 228, Transport::Udp), (5e6, 1_500, Transport::Tcp)]
        {
            let overhead = Overhead::of(transport, [10, 0, 0, 1].into());
            let traffic = Traffic { max_packet: packet, bucket: 4_000.0, ..Traffic::of(bps) };
            let said = flowspec(&traffic, overhead, ServiceType::ControlledLoad).unwrap();
            let tspec = sender::tspec(&said, overhead, 1_500).unwrap();
            assert!((f64::from(tspec.rate) * 8.0 - bps).abs() < 16.0, "{bps}: {tspec:?}");
            assert_eq!(
                (tspec.bucket, tspec.max_packet_size, tspec.min_policed_unit),
                (4_000.0, packet, packet)
            );
            let paced = pace(&said, overhead).unwrap();
            assert!((paced.rate_bps - bps).abs() < 16.0 && paced.max_packet == packet, "{paced:?}");
        }
    }

    #[test]
    fn an_application_has_a_name() {
        // By hand: length 14, locator, ASCII, and two zeroes.
        let element = identity("backup").unwrap();
        assert_eq!((element.element_type, &element.data[..]), (3, &b"\0\x0e\x01\x01APP=backup\0\0"[..]));
        assert_eq!(identity("APP=x,VER=1").unwrap().data, b"\0\x0f\x01\x01APP=x,VER=1\0");
        assert!(
            identity("").is_ok_and(|element| element.data.ends_with(b"APP=")) && identity("\u{e4}").is_err()
        );
    }
}
