//! A data plane that is slow, that dies, and none at all.

use super::*;
use rsvp_node::{InterfaceId, TcChange};
use std::sync::{Arc, Mutex};

/// A data plane that waits until it is let go, and writes down what it was told.
struct Slow {
    go: Receiver<()>,
    told: Arc<Mutex<Vec<usize>>>,
}

impl DataPlane for Slow {
    fn look(&mut self, _: Surroundings, _: Duration) -> Vec<Answer> {
        Vec::new()
    }

    fn apply(&mut self, changes: Vec<TrafficControl>, _: Duration) -> Vec<Answer> {
        // Who holds the other end may be gone.
        let _ = self.go.recv();
        self.told.lock().unwrap().push(changes.len());
        Vec::new()
    }

    fn flows(&mut self) -> Result<Vec<FlowRow>, String> {
        panic!("a data plane that dies")
    }

    fn states(&self) -> BTreeMap<u32, State> {
        let state = |words: &str, enforces| State { enforces, words: words.to_owned() };
        BTreeMap::from([(3, state("tcx", true)), (4, state("refused: why", false))])
    }

    fn due(&self) -> Option<Duration> {
        None
    }

    fn tick(&mut self, _: Duration) {}

    fn end(&mut self) {
        self.told.lock().unwrap().push(usize::MAX);
    }
}

fn removal(index: u32) -> TrafficControl {
    let reservation = ReservationId { index, generation: 0 };
    TrafficControl { reservation, interface: InterfaceId(3), change: TcChange::Remove }
}

fn slow() -> (Worker, Sender<()>, Arc<Mutex<Vec<usize>>>) {
    let (let_go, go) = channel();
    let told = Arc::new(Mutex::new(Vec::new()));
    let plane = Slow { go, told: Arc::clone(&told) };
    (Worker::start(Ok(Box::new(plane))).unwrap(), let_go, told)
}

fn alone(what: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what);
}

#[test]
fn what_comes_while_the_kernel_is_slow_waits_and_the_latest_counts() {
    alone(async {
        let (mut worker, let_go, told) = slow();
        worker.change(&removal(1));
        worker.go_on();
        for _ in 0..1_000 {
            worker.change(&removal(1));
            worker.change(&removal(2));
            worker.go_on();
        }
        assert!(worker.has_changed(ReservationId { index: 1, generation: 0 }));
        assert_eq!(worker.state(3), "ready");
        for _ in 0..2 {
            let_go.send(()).unwrap();
            worker.said().await.unwrap();
            worker.go_on();
        }
        assert_eq!((worker.state(3), worker.state(4), worker.state(5)), ("tcx", "refused: why", "ready"));
        assert_eq!([3, 4, 5].map(|interface| worker.enforces(interface)), [true, false, true]);
        worker.end(false).await;
        assert_eq!(*told.lock().unwrap(), [1, 2, usize::MAX]);
    });
}

#[test]
fn what_is_the_matter_with_an_interface_is_news_once() {
    let (mut worker, ..) = slow();
    let reservation = ReservationId { index: 1, generation: 0 };
    let mut answer = |why: Option<&str>| {
        let failure = why.map(|why| Failure::System(why.to_owned()));
        worker.is_news(&Answer { reservation, interface: 3, failure })
    };
    let news: Vec<bool> =
        [None, Some("full"), Some("full"), Some("gone"), None, Some("gone")].map(&mut answer).into();
    assert_eq!(news, [false, true, false, true, true, true]);
}

#[test]
fn a_data_plane_that_dies_leaves_the_daemon_without_one() {
    alone(async {
        let (mut worker, ..) = slow();
        worker.list();
        worker.go_on();
        assert!(worker.said().await.is_none());
        worker.change(&removal(1));
        worker.go_on();
        assert!(worker.state(3).starts_with("none: ") && !worker.enforces(3), "{}", worker.state(3));
        worker.end(false).await;
    });
}

#[test]
fn without_a_data_plane_there_are_no_flows() {
    alone(async {
        let mut worker = Worker::start(Err("nobody may".to_owned())).unwrap();
        assert_eq!((worker.state(3), worker.enforces(3)), ("none: nobody may", false));
        worker.list();
        worker.go_on();
        assert_eq!(worker.said().await.unwrap().flows, Some(Ok(Vec::new())));
        worker.end(false).await;
    });
}

#[test]
fn what_sessions_have_from_an_earlier_run_is_told_when_it_comes_and_when_it_is_gone() {
    let held = |interface, port, bps| {
        let session = rsvp_wire::Session::new("10.0.0.1".parse().unwrap(), 17, port);
        Held { interface: InterfaceId(interface), session, guaranteed: false, bps }
    };
    let all = [held(1, 1, 10), held(1, 2, 20), held(2, 1, 30)];
    assert_eq!(changed(&[], &all), all);
    // Less of a session is not told: the engine has taken it away itself.
    assert_eq!(changed(&all, &[held(1, 1, 5), all[2]]), [held(1, 2, 0)]);
    assert_eq!(changed(&all, &all), []);
}
