//! Flows and filters by hand, for programs of administrators: bandwidth and marks for packets that a pattern selects, without
//! signalling. A flow is the [`Client`]'s that made it, and ends with it.

use crate::{Client, ClientError};
use rsvp_control::Request;
use rsvp_control::tc::{Event, Filter, Flow, Query, Report, Set};
use tokio::sync::mpsc;

impl Client {
    /// Makes a flow; gives its number. Packets belong to it once it has filters, or by its rules.
    ///
    /// # Errors
    /// When the daemon refuses it, for one because the interface has not so much left, or is gone.
    pub async fn add_flow(&self, flow: Flow) -> Result<u64, ClientError> {
        let done = self.ask(&Request::TcFlowAdd(flow)).await?;
        numbered(done.flow)
    }

    /// Changes a flow, which keeps its filters and loses no packet.
    ///
    /// # Errors
    /// As [`add_flow`](Self::add_flow); then it is as it was.
    pub async fn modify_flow(&self, flow: Flow) -> Result<(), ClientError> {
        self.ask(&Request::TcFlowModify(flow)).await.map(drop)
    }

    /// Ends a flow.
    ///
    /// # Errors
    /// When it is not this client's.
    pub async fn delete_flow(&self, flow: u64) -> Result<(), ClientError> {
        self.ask(&Request::TcFlowDelete { flow }).await.map(drop)
    }

    /// Has packets belong to a flow; gives the number of the filter.
    ///
    /// # Errors
    /// When no packet could match, another filter is the same, or the flow is not this client's.
    pub async fn add_filter(&self, filter: Filter) -> Result<u64, ClientError> {
        let done = self.ask(&Request::TcFilterAdd(filter)).await?;
        numbered(done.filter)
    }

    /// Has packets belong to a flow no longer.
    ///
    /// # Errors
    /// When the filter is not this client's.
    pub async fn delete_filter(&self, filter: u64) -> Result<(), ClientError> {
        self.ask(&Request::TcFilterDelete { filter }).await.map(drop)
    }

    /// What interfaces and flows have, and what was counted.
    ///
    /// # Errors
    /// When there is no such interface or flow, or the data plane does not tell.
    pub async fn query_flows(&self, query: Query) -> Result<Report, ClientError> {
        let done = self.ask(&Request::TcQuery(query)).await?;
        done.tc.ok_or_else(|| ClientError::Unexpected("an answer without a report".to_owned()))
    }

    /// Sets marks of services and classes by DSCP in the place of the configuration's, until the daemon ends.
    ///
    /// # Errors
    /// When what is said is no mark or class, or there is no such interface.
    pub async fn set_marks(&self, set: Set) -> Result<(), ClientError> {
        self.ask(&Request::TcSet(set)).await.map(drop)
    }

    /// What happens to interfaces and flows. One such watch at a time per connection.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn watch_flows(&self) -> Result<FlowWatch, ClientError> {
        let events = self.link.watch_flows();
        self.ask(&Request::TcSubscribe {}).await?;
        Ok(FlowWatch { events, _client: self.clone() })
    }

    /// What happens to the flows of this client alone.
    #[must_use]
    pub fn own_flows(&self) -> FlowWatch {
        FlowWatch { events: self.link.watch_flows(), _client: self.clone() }
    }
}

fn numbered(number: Option<u64>) -> Result<u64, ClientError> {
    number.ok_or_else(|| ClientError::Unexpected("an answer without a number".to_owned()))
}

/// What happens to interfaces and flows.
#[derive(Debug)]
pub struct FlowWatch {
    events: mpsc::UnboundedReceiver<Event>,
    _client: Client,
}

impl FlowWatch {
    /// What happens next; `None` when the daemon is gone.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}
