//! Network namespaces without a name: each belongs to a thread that was started in it, and lives as long as somebody
//! holds on to it. So nothing is left behind, not even when the lab is killed.
//!
//! Sockets that are opened on the thread stay in the namespace wherever they are used later. What is in a namespace is
//! not decided here.

use super::error::{LabError, Trying};
use core::time::Duration;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sched::{CloneFlags, unshare};
use std::collections::BTreeSet;
use std::fs::{File, write};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Between one look and the next at whether interfaces are up.
const PAUSE: Duration = Duration::from_millis(5);
const MOST_LOOKS: u32 = 2000;

type Job = Box<dyn FnOnce() + Send>;

/// A namespace and the thread in it.
#[derive(Debug)]
pub(super) struct Namespace {
    /// What errors call it.
    pub(super) name: String,
    /// Holds the namespace, and names it to the kernel.
    pub(super) file: File,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Namespace {
    /// Makes a namespace in which nothing is but the loopback interface, down.
    pub(super) async fn new(name: &str) -> Result<Self, LabError> {
        let step = || format!("make a network namespace for {name}");
        let (jobs, work) = mpsc::channel::<Job>();
        let (tell, told) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(format!("netns {name}"))
            .spawn(move || {
                let made = unshare(CloneFlags::CLONE_NEWNET).map_err(std::io::Error::from);
                let usable = made.and_then(|()| File::open("/proc/thread-self/ns/net"));
                let well = usable.is_ok();
                if tell.send(usable).is_ok() && well {
                    work.into_iter().for_each(|job| job());
                }
            })
            .trying(step)?;
        let file = told.await.trying(step)?.trying(step)?;
        Ok(Self { name: name.to_owned(), file, jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has the thread do something in the namespace.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LabError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move || drop(tell.send(work())));
        if let Some(jobs) = &self.jobs {
            jobs.send(job).trying(|| format!("reach the namespace of {}", self.name))?;
        }
        told.await.trying(|| format!("work in the namespace of {}", self.name))
    }

    /// Waits until these interfaces carry packets: a link that comes up is noticed at both ends only after a moment.
    pub(super) async fn until_running(&self, names: Vec<String>) -> Result<(), LabError> {
        for _ in 0..MOST_LOOKS {
            let names = names.clone();
            let look = move || {
                let running: BTreeSet<String> = getifaddrs()?
                    .filter(|each| each.flags.contains(InterfaceFlags::IFF_RUNNING))
                    .map(|each| each.interface_name)
                    .collect();
                Ok::<_, std::io::Error>(names.iter().all(|name| running.contains(name)))
            };
            if self.run(look).await?.trying(|| format!("look at the interfaces of {}", self.name))? {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err("they do not come up").trying(|| format!("use the interfaces {}", names.join(", ")))
    }

    /// Sets kernel parameters below `/proc/sys/net`.
    pub(super) async fn set(&self, parameters: Vec<(String, &'static str)>) -> Result<(), LabError> {
        self.run(move || {
            parameters.into_iter().try_for_each(|(key, value)| {
                write(format!("/proc/sys/net/{key}"), value).trying(|| format!("set {key} to {value}"))
            })
        })
        .await?
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
