//! Templates: what traffic needs, by name, as the daemon keeps it.

use super::{QosError, QosHost};
use crate::ClientError;
use rsvp_control::sockets::{CAN_TEMPLATES, Template, TemplateRow};
use rsvp_control::{Done, Request};
use rsvp_node::qos::Qos;

impl QosHost {
    /// All templates (WSAGetQOSByName without a name): the eight base ones, and those that were installed.
    ///
    /// # Errors
    /// When the daemon keeps none, or is gone.
    pub async fn templates(&self) -> Result<Vec<TemplateRow>, QosError> {
        let done = self.about_templates(&Request::TemplateList {}).await?;
        Ok(done.templates.unwrap_or_default())
    }

    /// What a template says (WSAGetQOSByName), under its name in whichever case.
    ///
    /// # Errors
    /// When there is none of this name, the daemon keeps none, or is gone.
    pub async fn template(&self, name: &str) -> Result<Qos, QosError> {
        let done = self.about_templates(&Request::TemplateRead { name: name.to_owned() }).await?;
        let missing = || ClientError::Unexpected("a template was read and nothing came".to_owned());
        Ok(Qos::try_from(&done.template.ok_or_else(missing)?.qos)?)
    }

    /// Has the daemon keep a template (WSCInstallQOSTemplate), in place of one of this name. That is for those who may use its
    /// control socket, and so goes over a connection to that one.
    ///
    /// # Errors
    /// When the name or what it says cannot be, this user may not, or the daemon cannot keep it.
    pub async fn install_template(&self, name: &str, qos: &Qos) -> Result<(), QosError> {
        let template = Template { name: name.to_owned(), qos: qos.try_into()? };
        self.about_templates(&Request::TemplateInstall(template)).await.map(drop)
    }

    /// Has the daemon keep a template no longer (WSCRemoveQOSTemplate). Base ones stay.
    ///
    /// # Errors
    /// When there is none of this name, it is a base one, this user may not, or the daemon cannot.
    pub async fn remove_template(&self, name: &str) -> Result<(), QosError> {
        self.about_templates(&Request::TemplateRemove { name: name.to_owned() }).await.map(drop)
    }

    async fn about_templates(&self, request: &Request) -> Result<Done, QosError> {
        let link = self.link();
        if !link.can.iter().any(|word| word == CAN_TEMPLATES) {
            return Err(QosError::NoTemplates { daemon: link.daemon.clone() });
        }
        Ok(link.ask(request).await?)
    }
}
