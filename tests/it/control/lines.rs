//! What travels, line by line, as somebody sees it who has only the documentation.

use super::pair::{LEFT, LINK, Pair};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

/// A client of lines.
struct Raw(BufReader<DuplexStream>);

impl Raw {
    async fn connect(pair: &Pair) -> Self {
        let mut raw = Self(BufReader::new(pair.raw(LEFT)));
        let greeting = raw.read().await;
        let daemon = format!("rsvpd {}", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            greeting,
            json!({ "version": 1, "daemon": daemon, "can": ["qos", "templates", "flows", "policy", "tc"] })
        );
        raw
    }

    async fn write(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).await.expect("the connection stands");
    }

    async fn read(&mut self) -> Value {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(60), self.0.read_line(&mut line)).await;
        assert_ne!(read.expect("an answer").expect("the connection stands"), 0, "the connection has ended");
        serde_json::from_str(&line).expect("JSON")
    }

    async fn ask(&mut self, line: &str) -> Value {
        self.write(line).await;
        self.read().await
    }

    async fn still_lives(&mut self) {
        let answer = self.ask(r#"{"id":99,"request":"list","what":"senders"}"#).await;
        assert_eq!(answer, json!({ "id": 99, "ok": { "total": 0, "senders": [] } }));
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_requests_are_answered_and_the_connection_lives() {
    let pair = Pair::start();
    let mut raw = Raw::connect(&pair).await;
    let session = r#""session":"udp 10.0.0.2:5000""#;
    let cases = [
        (String::new(), None, "one JSON object"),
        ("hello".to_owned(), None, "one JSON object"),
        ("[1,2]".to_owned(), None, "one JSON object"),
        ("{\"id\":1".to_owned(), None, "one JSON object"),
        ("[".repeat(5_000), None, "one JSON object"),
        ("{}".to_owned(), None, "`id`"),
        (r#"{"id":-1,"request":"subscribe"}"#.to_owned(), None, "`id`"),
        (r#"{"id":"7","request":"subscribe"}"#.to_owned(), None, "`id`"),
        (r#"{"id":7}"#.to_owned(), Some(7), "request"),
        (r#"{"id":7,"request":"fly"}"#.to_owned(), Some(7), "open-session"),
        (r#"{"id":7,"request":"open-session"}"#.to_owned(), Some(7), "missing field `session`"),
        (r#"{"id":7,"request":"open-session","session":"video"}"#.to_owned(), Some(7), "udp 10.0.2.2:5000"),
        (format!(r#"{{"id":7,"request":"open-session",{session},"colour":1}}"#), Some(7), "`colour`"),
        (
            format!(r#"{{"id":7,"request":"sender",{session},"sender":"10.0.0.1:1","traffic":{{}}}}"#),
            Some(7),
            "rate_bps",
        ),
        (
            format!(
                r#"{{"id":7,"request":"sender",{session},"sender":"10.0.0.1:1","trafic":1,"traffic":{{"rate_bps":1}}}}"#
            ),
            Some(7),
            "`trafic`",
        ),
        (format!(r#"{{"id":7,"request":"reserve",{session},"style":"xx","flows":[]}}"#), Some(7), "`wf`"),
        (r#"{"id":7,"request":"list","what":"cows"}"#.to_owned(), Some(7), "reservations"),
        (r#"{"id":7,"request":"subscribe","to":1}"#.to_owned(), Some(7), "`to`"),
    ];
    for (line, id, words) in cases {
        let answer = raw.ask(&line).await;
        let shown = line.chars().take(80).collect::<String>();
        assert_eq!(answer.get("id").and_then(Value::as_u64), id, "{shown}: {answer}");
        assert_eq!(answer["error"]["code"], "bad-request", "{shown}: {answer}");
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains(words), "{shown}: {message}");
    }
    raw.0.get_mut().write_all(b"\xff\xfe\x00{}\n").await.expect("the connection stands");
    assert_eq!(raw.read().await["error"]["code"], "bad-request");
    raw.still_lives().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_may_be_as_long_as_documented_and_no_longer() {
    let pair = Pair::start();
    let mut raw = Raw::connect(&pair).await;
    let request = r#"{"id":5,"request":"list","what":"senders"}"#;
    let exactly = format!("{request}{}", " ".repeat(65_536 - request.len()));
    assert_eq!(raw.ask(&exactly).await["id"], 5);
    for longer in [65_537, 200_000] {
        let answer = raw.ask(&"x".repeat(longer)).await;
        assert_eq!(answer["error"]["code"], "line-too-long", "{longer}");
    }
    raw.still_lives().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_after_the_asking_side_was_closed() {
    let pair = Pair::start();
    let mut raw = Raw::connect(&pair).await;
    raw.write(r#"{"id":1,"request":"list","what":"counters"}"#).await;
    raw.write(r#"{"id":2,"request":"subsc"#.trim_end()).await;
    raw.0.get_mut().write_all(b"{\"id\":3,").await.expect("the connection stands");
    raw.0.get_mut().shutdown().await.expect("half closed");
    let mut rest = String::new();
    raw.0.read_to_string(&mut rest).await.expect("read to the end");
    let lines: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "half a line is not done: {rest}");
    assert_eq!(lines[0]["id"], 1);
    pair.until("the client is gone", |seen| seen.clients == [0, 0]).await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_cut_off_with_all_that_it_has() {
    let pair = Pair::start();
    let mut raw = Raw::connect(&pair).await;
    let announce = r#"{"id":0,"request":"sender","session":"udp 10.0.0.2:5000","sender":"10.0.0.1:4000","traffic":{"rate_bps":1000000}}"#;
    assert_eq!(raw.ask(announce).await, json!({ "id": 0, "ok": {} }));
    assert!(!pair.seen().is_empty[LEFT]);
    let (mut reading, mut writing) = tokio::io::split(raw.0.into_inner());
    let flood = tokio::spawn(async move {
        // It fails when the connection is cut, and nobody reads meanwhile.
        while writing.write_all(b"{\"id\":1,\"request\":\"list\",\"what\":\"counters\"}\n").await.is_ok() {}
    });
    pair.until("cut off", |seen| seen.cut_off == [1, 0] && seen.is_empty[LEFT]).await;
    tokio::time::timeout(Duration::from_secs(120), flood).await.expect("ended").expect("no panic");
    let mut rest = Vec::new();
    // What was on its way may still come, or not.
    let _ = reading.read_to_end(&mut rest).await;
    Raw::connect(&pair).await.still_lives().await;
}

#[tokio::test(start_paused = true)]
async fn the_documented_examples_work() {
    let documentation = include_str!("../../../docs/control.md");
    // Flows of sockets and policies need a kernel's data plane, and are asked for by tests that have one.
    let needs_kernel = |line: &str| ["\"flow-", "\"policy-"].iter().any(|request| line.contains(request));
    let is_request =
        |line: &&str| line.starts_with("{\"id\"") && line.contains("\"request\"") && !needs_kernel(line);
    let examples: Vec<&str> = documentation.lines().filter(is_request).collect();
    assert_eq!(examples.len(), 9);
    let pair = Pair::start();
    let mut raw = Raw::connect(&pair).await;
    let mut socket = 4_711;
    for example in examples {
        // The addresses of the example's node are not those of this one.
        let line =
            example.replace("10.0.1.1", "10.0.0.1").replace("10.0.2.2", "10.0.0.2").replace("eth0", LINK);
        // Nor does a descriptor go through this pipe: the socket is named in words, and gets another number.
        let in_words = "\"transport\":\"udp\",\"local\":\"10.0.0.1:4000\"";
        let line = line.replace("\"fd\":true", in_words).replace("4711", &socket.to_string());
        raw.write(&line).await;
        let answer = loop {
            let answer = raw.read().await;
            if answer.get("event").is_none() {
                break answer;
            }
        };
        assert!(answer.get("ok").is_some(), "{example}: {answer}");
        socket = answer["ok"]["opened"]["socket"].as_u64().unwrap_or(socket);
    }
}
