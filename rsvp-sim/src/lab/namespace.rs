//! Network namespaces without a name: each belongs to a thread that was started in it, and lives as long as somebody
//! holds on to it. So nothing is left behind, not even when the lab is killed.
//!
//! Sockets that are opened on the thread stay in the namespace wherever they are used later. What is in a namespace is
//! not decided here.

use super::error::{LabError, Trying};
use nix::sched::{CloneFlags, unshare};
use std::fs::{File, write};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

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
