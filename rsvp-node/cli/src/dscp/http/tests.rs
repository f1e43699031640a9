//! Answers that are sound, in every division into pieces; answers that are not.

use super::*;

/// Reads an answer that comes in pieces of so many octets, and ends with the connection.
fn read(answer: &[u8], piece: usize) -> Result<(u16, Vec<u8>, bool), String> {
    let (mut kept, mut body, mut out): (Vec<u8>, Option<(u16, Body)>, Vec<u8>) = (vec![], None, vec![]);
    for piece in answer.chunks(piece) {
        let mut hand_on = |data: &[u8]| {
            out.extend(data);
            Ok(())
        };
        if let Some((_, body)) = &mut body {
            body.take(piece, &mut hand_on)?;
            continue;
        }
        kept.extend(piece);
        if let Some((head, length)) = head(&kept)? {
            let mut begun = Body::of(&head);
            begun.take(&kept[length..], &mut hand_on)?;
            body = Some((head.status, begun));
        }
    }
    let (status, body) = body.ok_or("no head")?;
    body.end()?;
    assert_eq!(body.octets, out.len() as u64);
    Ok((status, out, body.is_done()))
}

#[test]
fn bodies_end_where_the_head_says() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n00b \r\n over there\r\n0\r\nX: y\r\n\r\nleft";
    let cases: [(&str, u16, &str, bool); 7] = [
        ("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall of it", 200, "all of it", false),
        (
            "HTTP/1.1 404 Not Found\nContent-Length: 4, 4\ncontent-length: 4\n\ngone and more",
            404,
            "gone",
            true,
        ),
        (chunked, 200, "hello over there", true),
        ("HTTP/1.1 204\r\n\r\n", 204, "", true),
        ("HTTP/1.1 304 \r\nContent-Length: 7\r\n\r\n", 304, "", true),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            200,
            "a",
            true,
        ),
    ];
    for (answer, status, body, done) in cases {
        for piece in [1, 2, 3, 7, 1_000] {
            let read = read(answer.as_bytes(), piece);
            assert_eq!(read, Ok((status, body.as_bytes().to_vec(), done)), "{piece}: {answer}");
        }
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunks = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
    let endless = format!("{ok}X: {}", "y".repeat(HEAD));
    let cases = [
        ("SSH-2.0-OpenSSH\r\n".to_owned(), "begins with `SSH-2.0-OpenSSH\\r\\n`"),
        ("HTTP/2 200\r\n\r\n".to_owned(), "not with an HTTP/1 status"),
        ("HTTP/1.1 20 OK\r\n\r\n".to_owned(), "not with an HTTP/1 status"),
        ("HTTP/1.1 2000\r\n\r\n".to_owned(), "not with an HTTP/1 status"),
        ("HTTP/1.1 101 Switch\r\n\r\n".to_owned(), "changes the protocol"),
        (format!("{ok}no field\r\n\r\n"), "`no field` is not a header field"),
        (format!("{ok} folded: x\r\n\r\n"), "not a header field"),
        (format!("{ok}Content-Length: -1\r\n\r\n"), "Content-Length is `-1`"),
        (format!("{ok}Content-Length: 18446744073709551616\r\n\r\n"), "Content-Length"),
        (format!("{ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), "two different lengths"),
        (format!("{ok}Transfer-Encoding: gzip, chunked\r\n\r\n"), "not chunked"),
        (format!("{ok}Content-Length: 5\r\n\r\nabc"), "after 3 of 5 octets"),
        (format!("{chunks}3\r\nabc"), "after 3 octets, in the middle"),
        (format!("{chunks}3\r\nabcd"), "longer than it says"),
        (format!("{chunks}\r\n"), "the size of a chunk"),
        (format!("{chunks}\n"), "no size"),
        (format!("{chunks}x\r\n"), "`x` is in the size of a chunk"),
        (format!("{chunks}{}", "1".repeat(16)), "the size of a chunk"),
        (format!("{chunks}1;{}", "y".repeat(HEAD)), "longer than 65536 octets"),
        (format!("{chunks}0\r\n{}", "y".repeat(HEAD + 1)), "longer than 65536 octets"),
        (endless, "head is longer than 65536 octets"),
        (ok.to_owned(), "no head"),
    ];
    for (answer, words) in cases {
        let shown: String = answer.chars().take(80).collect();
        for piece in [1_000, 100_000] {
            let complaint = read(answer.as_bytes(), piece).expect_err(&shown);
            assert!(complaint.contains(words), "{shown}: {complaint}");
        }
    }
}

#[test]
fn nothing_of_an_answer_can_move_a_cursor() {
    let (head, _) = head(b"HTTP/1.1 200 \x1b[2Jgood\r\n\r\n").unwrap().unwrap();
    assert_eq!(head.reason, "?[2Jgood");
    assert!(!read(b"\x1b[2J", 4).unwrap_err().contains('\x1b'));
}
