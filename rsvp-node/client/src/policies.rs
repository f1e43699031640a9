//! Policies, for programs of administrators and for servers that answer by URL: what there is, what sockets were given and why.

use crate::{Client, ClientError};
use rsvp_control::Request;
use rsvp_control::policy::{Explain, Matching, PolicyRow, Put, Remove, Report, Settings};

impl Client {
    /// All policies, the strongest first, with settings and with what was left out.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn policies(&self) -> Result<Report, ClientError> {
        self.about_policies(Request::PolicyList {}).await
    }

    /// What sockets were given by policies, and what other policies lost by.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn explain_policies(&self, of: Explain) -> Result<Report, ClientError> {
        self.about_policies(Request::PolicyExplain(of)).await
    }

    /// The policy for what a server is about to answer, if one is for it.
    ///
    /// # Errors
    /// When that is not a URL.
    pub async fn policy_for(&self, of: Matching) -> Result<Option<PolicyRow>, ClientError> {
        Ok(self.about_policies(Request::PolicyMatch(of)).await?.matched)
    }

    /// Has the daemon keep a policy, in the place of one of its name.
    ///
    /// # Errors
    /// When it cannot be used, or not be kept.
    pub async fn put_policy(&self, put: Put) -> Result<(), ClientError> {
        self.ask(&Request::PolicyPut(put)).await.map(drop)
    }

    /// Has it keep a policy no longer.
    ///
    /// # Errors
    /// When there is none of the name, or it was written by hand.
    pub async fn remove_policy(&self, remove: Remove) -> Result<(), ClientError> {
        self.ask(&Request::PolicyRemove(remove)).await.map(drop)
    }

    /// Sets what holds beside policies, until the daemon ends; what is not said is not set there any more.
    ///
    /// # Errors
    /// When a value is none, or it cannot be kept.
    pub async fn set_policies(&self, settings: Settings) -> Result<(), ClientError> {
        self.ask(&Request::PolicySettings(settings)).await.map(drop)
    }

    /// Has the daemon read all stores again; gives what there is then.
    ///
    /// # Errors
    /// When the daemon is gone, or has no policies.
    pub async fn refresh_policies(&self) -> Result<Report, ClientError> {
        self.about_policies(Request::PolicyRefresh {}).await
    }

    async fn about_policies(&self, request: Request) -> Result<Report, ClientError> {
        let done = self.ask(&request).await?;
        done.policy.ok_or_else(|| ClientError::Unexpected("an answer without a report".to_owned()))
    }
}
