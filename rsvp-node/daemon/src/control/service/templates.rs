//! Templates: everybody may list and read them; who may use the control socket may install and remove them.

use super::{ControlService, EngineAccess, Who};
use rsvp_control::sockets::{Template, TemplateRow};
use rsvp_control::{Done, Problem, Request};
use rsvp_node::qos::template::{BASE_NAMES, TemplateError};
use rsvp_node::qos::{Endpoint, Qos, Templates, Transport};

impl ControlService {
    /// What is kept from before.
    pub fn keep_templates(&mut self, templates: Templates) {
        self.templates = templates;
    }

    pub(super) fn about_template(
        &mut self,
        who: Who,
        request: Request,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        match request {
            Request::TemplateList {} => {
                let names: Vec<&str> = self.templates.names().collect();
                let rows = names.into_iter().map(|name| self.row(name)).collect::<Result<_, _>>()?;
                Ok(Done { templates: Some(rows), ..Done::default() })
            }
            Request::TemplateRead { name } => {
                let name = self.known(&name)?;
                let qos = self.templates.read(&name).map_err(|error| problem(&name, error))?;
                let qos = (&qos).try_into().map_err(|why| unusable(&name, why))?;
                Ok(Done { template: Some(Template { name, qos }), ..Done::default() })
            }
            Request::TemplateInstall(_) | Request::TemplateRemove { .. } if who.sockets_only => {
                let message = format!(
                    "{}: use the daemon's control socket, as root or as a member of its group",
                    TemplateError::Denied
                );
                Err(Problem::new("not-permitted", message))
            }
            Request::TemplateInstall(Template { name, qos }) => {
                let qos = Qos::try_from(&qos).map_err(|why| unusable(&name, why))?;
                qos.validate(&Endpoint::new(Transport::Udp)).map_err(|why| unusable(&name, why))?;
                self.templates.check(&name, &qos).map_err(|error| problem(&name, error))?;
                access.keep_template(&name, Some(&qos)).map_err(|why| not_kept(&name, &why))?;
                self.templates.install(&name, qos, true).map_err(|error| problem(&name, error))?;
                Ok(Done::default())
            }
            Request::TemplateRemove { name } => {
                let name = self.known(&name)?;
                if BASE_NAMES.contains(&name.as_str()) {
                    return Err(problem(&name, TemplateError::Invalid));
                }
                access.keep_template(&name, None).map_err(|why| not_kept(&name, &why))?;
                self.templates.remove(&name, true).map_err(|error| problem(&name, error))?;
                Ok(Done::default())
            }
            _ => Err(Problem::new("bad-request", "this request is not about templates")),
        }
    }

    fn row(&self, name: &str) -> Result<TemplateRow, Problem> {
        let qos = self.templates.read(name).map_err(|error| problem(name, error))?;
        Ok(TemplateRow {
            name: name.to_owned(),
            base: BASE_NAMES.contains(&name),
            sending: (&qos.sending).into(),
            receiving: (&qos.receiving).into(),
        })
    }

    /// The name as it is written.
    fn known(&self, name: &str) -> Result<String, Problem> {
        self.templates.find(name).map(str::to_owned).ok_or_else(|| {
            let names: Vec<&str> = self.templates.names().collect();
            let message = format!("there is no template \"{name}\"; there are {}", names.join(", "));
            Problem::new("not-found", message)
        })
    }
}

fn problem(name: &str, error: TemplateError) -> Problem {
    let code = match error {
        TemplateError::NoData => "not-found",
        TemplateError::Full | TemplateError::Large => "limit-reached",
        _ => "bad-template",
    };
    Problem::new(code, format!("template \"{name}\": {error}"))
}

fn unusable(name: &str, why: rsvp_node::qos::Invalid) -> Problem {
    let qos = Some((why.status.0, why.value.0));
    Problem { qos, ..Problem::new("qos-invalid", format!("template \"{name}\": {why}")) }
}

fn not_kept(name: &str, why: &str) -> Problem {
    Problem::new("not-kept", format!("template \"{name}\" cannot be kept: {why}"))
}
