//! Who sends (C4, C9, C10, C11): by the file of a program, its name, its user, its cgroup.

use super::super::plane::seen::seen;
use super::*;

/// The DSCPs of a fetch by this program and user.
fn fetched(site: &Site, capture: &Capture, curl: &str, port: u16, by: &[&str]) -> Vec<u8> {
    let before = seen(capture, port).len();
    site.fetches(curl, port, by);
    dscps(&site.sent(capture, port, before), port)
}

#[test]
fn a_copy_of_a_program_is_told_from_it_and_both_have_one_name() {
    let Some(mut site) = Site::new("policies_copy") else { return };
    let folder = site.net.file("elsewhere");
    std::fs::create_dir_all(&folder).expect("a folder");
    let copy = folder.join("curl");
    let copied = Command::new("cp").arg(CURL).arg(&copy).status().expect("cp runs");
    assert!(copied.success());
    let copy = copy.display().to_string();
    let capture = site.captures();
    site.say("a", "by-path", &policy("by path", &format!("app = \"{CURL}\""), "dscp = \"ef\""));
    site.serves(8090);
    assert_eq!(fetched(&site, &capture, &copy, 8090, &[]), [0]);
    assert_eq!(fetched(&site, &capture, CURL, 8090, &[]), [46]);
    // A path says more than a name.
    site.say("a", "by-name", &policy("by name", "app = \"curl\"", "dscp = 10"));
    site.serves(8091);
    assert_eq!(fetched(&site, &capture, &copy, 8091, &[]), [10]);
    assert_eq!(fetched(&site, &capture, CURL, 8091, &[]), [46]);
    // An upgrade puts another file in the place of the program.
    let upgraded = folder.join("upgraded");
    std::fs::rename(folder.join("curl"), &upgraded).expect("renamed");
    let report =
        site.say("a", "by-path", &policy("by path", &format!("app = \"{copy}\""), "dscp = \"af41\""));
    assert!(report["complaints"][0]["message"].as_str().expect("why").contains("No such file"), "{report:#}");
    assert!(Command::new("cp").arg(CURL).arg(&copy).status().expect("cp runs").success());
    eventually("the new file is noticed", || {
        let report = site.net.client("a").ask(json!({"request": "policy-list"})).expect("a listing");
        (report["policy"]["complaints"] == json!([])).then_some(())
    });
    site.serves(8092);
    assert_eq!(fetched(&site, &capture, &copy, 8092, &[]), [34]);
}

#[test]
fn a_link_is_refused_with_what_it_leads_to() {
    let Some(site) = Site::new("policies_link") else { return };
    let link = site.net.file("a-link");
    std::os::unix::fs::symlink(CURL, &link).expect("a link");
    let report =
        site.say("a", "link", &policy("by link", &format!("app = \"{}\"", link.display()), "dscp = 46"));
    let complaint = &report["complaints"][0];
    let message = complaint["message"].as_str().expect("a message");
    assert!(message.contains("link.toml:1:1: ") && message.ends_with(&format!("name {CURL}")), "{message}");
    assert_eq!((complaint["number"].as_u64(), complaint["policy"].as_str()), (Some(16610), Some("by link")));
}

/// Variables are those of the policy's user, or of the daemon's environment.
#[test]
fn variables_in_a_path_have_their_values() {
    let Some(mut site) = Site::new("policies_variables") else { return };
    let home = std::env::var("HOME").expect("a home");
    let own = format!(".rsvp-test-program-{}", std::process::id());
    let folder = PathBuf::from(&home).join(&own);
    std::fs::create_dir_all(&folder).expect("a folder");
    let copy = folder.join("curl").display().to_string();
    assert!(Command::new("cp").arg(CURL).arg(&copy).status().expect("cp runs").success());
    site.serves(8095);
    let capture = site.captures();
    let of_computer = policy("computers", &format!("app = \"${{HOME}}/{own}/curl\""), "dscp = 10");
    let report = site.say("a", "computers", &of_computer);
    assert_eq!(report["complaints"], json!([]), "{report:#}");
    assert_eq!(fetched(&site, &capture, &copy, 8095, &[]), [10]);
    assert_eq!(fetched(&site, &capture, CURL, 8095, &[]), [0]);
    if home == "/root" {
        let of_user = format!(
            "[[policy]]\nname = \"users\"\nuser = \"root\"\nmatch = {{ app = \"$HOME/{own}/curl\" }}\naction = {{ dscp = 12 }}\n"
        );
        let report = site.say("a", "users", &of_user);
        assert_eq!(report["complaints"], json!([]), "{report:#}");
        assert_eq!(fetched(&site, &capture, &copy, 8095, &[]), [12]);
    }
    let report = site.say("a", "users", &policy("none", "app = \"$NOT_THERE_AT_ALL/curl\"", "dscp = 14"));
    let message = report["complaints"][0]["message"].as_str().expect("a message");
    assert!(message.contains("there is no variable NOT_THERE_AT_ALL"), "{message}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn users_are_told_apart_and_a_users_policy_comes_before_the_computers() {
    let Some(mut site) = Site::new("policies_users") else { return };
    let of = |user: u32, dscp: u8| {
        format!("[[policy]]\nname = \"of {user}\"\nuser = \"{user}\"\naction = {{ dscp = {dscp} }}\n")
    };
    let computers = policy("all", &format!("app = \"{CURL}\", protocol = \"tcp\""), "dscp = 8");
    site.say("a", "users", &[of(1000, 10), of(1001, 12), computers].concat());
    site.serves(8093);
    let capture = site.captures();
    for (user, expected) in [("1000", 10), ("1001", 12), ("1002", 8)] {
        let by = ["setpriv", "--reuid", user, "--clear-groups"];
        assert_eq!(fetched(&site, &capture, CURL, 8093, &by), [expected], "{user}");
    }
}

#[test]
fn a_command_runs_with_marks_of_its_own() {
    let Some(mut site) = Site::new("policies_run") else { return };
    site.serves(8094);
    let capture = site.captures();
    let socket = site.net.socket("a").display().to_string();
    let rsvp = crate::programs::folder().join("rsvp");
    let url = format!("http://{SERVER}:8094/hostname");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", site.net.namespace("a")))
            .arg(&rsvp)
            .args(["run", "--socket", &socket]);
        command.args(arguments).output().expect("it runs")
    };
    // The shell's child is in the same cgroup.
    let script = format!("{CURL} -s -o /dev/null {url}; exit 7");
    let done = run(&["--dscp", "af21", "--", "sh", "-c", &script]);
    assert_eq!(done.status.code(), Some(7), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(dscps(&site.sent(&capture, 8094, 0), 8094), [18]);
    // And nothing is left.
    eventually("its policy is gone", || (site.refreshed("a")["policies"] == json!([])).then_some(()));
    let cgroups =
        std::fs::read_dir("/sys/fs/cgroup/unified").or_else(|_| std::fs::read_dir("/sys/fs/cgroup"));
    let left = cgroups.expect("cgroups").flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.strip_prefix("rsvp-run-")
            .is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
    });
    assert_eq!(left.count(), 0);
    assert_eq!(fetched(&site, &capture, CURL, 8094, &[]), [0]);
}

/// What would end `rsvp run` is the command's to answer: its status is the answer.
#[test]
fn a_signal_is_handed_on_to_the_command_that_is_run() {
    use nix::sys::signal::{Signal, kill};
    use std::io::{BufRead, BufReader};
    let Some(site) = Site::new("policies_signals") else { return };
    let program = "import signal, sys\nfor s in (signal.SIGTERM, signal.SIGHUP):\n    signal.signal(s, lambda number, _: sys.exit(100 + number))\n\
                   print('ready', flush=True)\nsignal.pause()";
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", site.net.namespace("a")))
            .arg(crate::programs::folder().join("rsvp"))
            .arg("run")
            .arg("--socket")
            .arg(site.net.socket("a"))
            .args(["--dscp", "af21", "--", "python3", "-c", program])
            .stdout(Stdio::piped());
        let mut running = command.spawn().expect("it runs");
        let mut line = String::new();
        BufReader::new(running.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        kill(nix::unistd::Pid::from_raw(running.id().cast_signed()), signal).expect("sent");
        let status = running.wait().expect("it ends");
        assert_eq!(status.code(), Some(100 + signal as i32), "{status:?}");
    }
    eventually("its policy is gone", || (site.refreshed("a")["policies"] == json!([])).then_some(()));
}
